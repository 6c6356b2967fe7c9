"""Export and import over HTTP: the same agent again, 201 or 200, bounded."""

import pytest

from tests.contract.api.client import Api, Reply

PROMPTS = [
    "Plain",
    "",
    "---\nfront: no\n---\n",
    "\n\ntwo lines before\n\n",
    "a\r\nb\r\n",
    "Ünï 🦊  ",
    "yes",
]
AUTHORED = (
    "name",
    "system_prompt",
    "display_name",
    "description",
    "harness_id",
    "default_model_id",
    "tags",
    "capabilities",
    "tools",
    "initial_files",
    "mcpServers",
    "network_access",
    "max_iterations",
    "parallel_tool_calls",
)


def imported(api: Api, document: bytes | str, **options: object) -> Reply:
    raw = document if isinstance(document, bytes) else document.encode()
    return api.send("POST", "/v1/agents/import", data=raw, content_type="text/plain", **options)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_an_export_is_the_same_agent_again(api: Api, stranger: Api, prompt: str) -> None:
    agent = api.agent(
        name="Ünïcode: #1",
        system_prompt=prompt,
        description="no",
        display_name="2024-01-01",
        harness_name="base",
        tags=["yes", "1e5"],
        capabilities=["noop", {"ref": "test_math", "config": {"a": [1, 2.5, None, "~"]}}],
        tools=[{"name": "t", "parameters": {"type": "object", "properties": {}}}],
        initial_files=[{"path": "/a", "content": "x\r\n---\n"}],
        mcpServers={"m": {"url": "https://a.example"}},
        network_access={"allowed": ["a"], "blocked": []},
        max_iterations=5,
        parallel_tool_calls=False,
    )
    export = api.get(f"/v1/agents/{agent['id']}/export")
    assert export.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert export.headers["Content-Disposition"].endswith('.md"')

    again = imported(api, export.raw)
    elsewhere = imported(stranger, export.raw)

    assert (again.status, elsewhere.status) == (200, 201)
    assert again.body["id"] == agent["id"] != elsewhere.body["id"]
    for name in AUTHORED:
        assert again.body[name] == elsewhere.body[name] == agent[name], name
    assert api.get(f"/v1/agents/{agent['id']}/export").raw == export.raw


def test_four_forms_are_taken(api: Api) -> None:
    for document in (
        "---\nname: Four\n---\n\nPrompt",
        "name: Four\nsystem_prompt: Prompt\n",
        '{"name": "Four", "system_prompt": "Prompt"}',
    ):
        reply = imported(api, document)
        assert reply.status in (200, 201)
        assert (reply.body["name"], reply.body["system_prompt"]) == ("Four", "Prompt")
    assert imported(api, "Four\n\nPrompt").body["system_prompt"] == "Four\n\nPrompt"
    assert api.get("/v1/agents").body["total"] == 1
    as_json = api.post("/v1/agents/import", {"name": "Four", "system_prompt": "As JSON"})
    assert as_json.body["system_prompt"] == "As JSON"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("", 400),
        ("---\nname: [\n---\n", 400),
        ("---\nname: A\ncapabilities: [nope]\n---\n", 400),
        ("---\nname: A\nharness: nope\n---\n", 404),
        ("a: &a [1]\nname: A\nsystem_prompt: x\nb: *a\n", 400),
        (b"\xff\xfe", 400),
        (b"a\x00b", 400),
        ("x" * 3_000_001, 413),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_agent_is_refused(api: Api, given: bytes | str, status: int) -> None:
    assert imported(api, given).status == status
    assert api.get("/v1/agents").body["total"] == 0


def test_an_example_needs_no_document(api: Api) -> None:
    def example(name: str) -> Reply:
        path = f"/v1/agents/import?from-example={name}"
        return api.send("POST", path, data=b"", content_type="text/plain")

    made = example("assistant")

    assert made.status == 201
    assert (made.body["name"], made.body["tags"]) == ("assistant", ["example"])
    assert (example("assistant").status, example("dad-jokes").status) == (200, 404)
