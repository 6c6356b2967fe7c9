"""Whatever is sent, the answer is one of the contract's, and a refusal stores nothing."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from common.domain.ids import Kind, show_id
from common.storage.engine import Database
from tests.contract.api.client import Api
from tests.contract.api.worker import open_turn_of
from tests.fuzzing import fuzzed

SHARED = fuzzed(120)

any_text = st.text(max_size=12) | st.sampled_from(["", "\x00", "\ud800", "text", "agent", "1", "é"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | st.sampled_from([10**400, -1, 0, 2**63, 2**64, 1e20, 1e308])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


def near(shape: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these keys, each right, missing or anything."""
    return st.fixed_dictionaries(
        {}, optional={key: strategy | anything for key, strategy in shape.items()}
    )


part = near(
    {
        "type": st.sampled_from(["text", "image", "image_file", "tool_call", "tool_result", "x"]),
        "text": any_text,
        "url": any_text,
        "base64": any_text,
        "media_type": st.sampled_from(["image/png", "x"]),
        "image_id": any_text,
        "filename": any_text,
    }
)
controls = near(
    {
        "max_tokens": st.integers(-1, 5),
        "temperature": st.floats(-1, 3),
        "model_id": any_text,
        "reasoning": near({"effort": st.sampled_from(["low", "x"])}),
        "locale": any_text,
        "hints": anything,
    }
)
message_bodies = near(
    {
        "message": near(
            {
                "role": st.sampled_from(["user", "agent"]),
                "content": st.lists(part, max_size=3) | any_text,
                "controls": controls,
                "metadata": anything,
            }
        ),
        "controls": controls,
        "metadata": anything,
        "tags": st.lists(any_text, max_size=2),
        "external_actor": near({"actor_id": any_text, "source": any_text}),
    }
)
configuration = {
    "tags": st.lists(any_text, max_size=2),
    "capabilities": st.lists(
        st.sampled_from(["noop", "x"]) | near({"ref": st.just("noop"), "config": anything}),
        max_size=2,
    ),
    "tools": st.lists(
        near({"name": any_text, "parameters": anything, "type": any_text}), max_size=2
    ),
    "initial_files": st.lists(near({"path": any_text, "content": any_text}), max_size=2),
    "mcpServers": anything,
    "network_access": near({"allowed": anything}),
    "max_iterations": st.integers(-1, 3),
    "parallel_tool_calls": st.booleans(),
    "harness_name": st.sampled_from(["base", "x"]),
    "harness_id": any_text,
}
agent_bodies = near(
    {"name": any_text, "system_prompt": any_text, "description": any_text, **configuration}
)
session_bodies = near(
    {
        "title": any_text,
        "locale": any_text,
        "hints": anything,
        "agent_name": any_text,
        "workspace_id": any_text,
        **configuration,
    }
)
raw_bodies = st.binary(max_size=40) | anything.map(lambda value: json.dumps(value).encode())


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@SHARED
@given(body=message_bodies | raw_bodies)
def test_no_message_breaks_the_server(api: Api, body: Any) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}"

    reply = api.post(f"{path}/messages", encoded(body))

    assert reply.status in (201, 400, 422)
    events = api.get(f"{path}/events").body["data"]
    assert len(events) == (2 if reply.status == 201 else 1)
    if reply.status == 201:
        assert api.get(f"{path}/messages").body["data"] == [reply.body]


@SHARED
@given(body=agent_bodies | raw_bodies)
def test_no_agent_breaks_the_server(api: Api, body: Any) -> None:
    before = api.get("/v1/agents?limit=1").body["total"]

    reply = api.post("/v1/agents", encoded(body))

    assert reply.status in (200, 201, 400, 404, 409)
    after = api.get("/v1/agents?limit=1").body["total"]
    assert after - before == (reply.status == 201)
    if reply.status < 300:
        again = api.send(
            "POST",
            "/v1/agents/import",
            data=api.get(f"/v1/agents/{reply.body['id']}/export").raw,
            content_type="text/plain",
        )
        assert again.status == 200, again.text
        for name in ("name", "system_prompt", "tags", "capabilities", "tools", "mcpServers"):
            assert again.body[name] == reply.body[name]


@SHARED
@given(body=agent_bodies | raw_bodies)
def test_no_patch_breaks_the_server(api: Api, body: Any) -> None:
    agent = api.agent(name="Patched")

    reply = api.patch(f"/v1/agents/{agent['id']}", encoded(body))

    assert reply.status in (200, 400, 404, 409)
    if reply.status != 200:
        assert api.get(f"/v1/agents/{agent['id']}").body == agent


@SHARED
@given(body=session_bodies | raw_bodies)
@example(body={"hints": {"n": 1e20}})
@example(body={"tools": [{"name": "t", "parameters": {"maximum": -1e20}}]})
@example(body={"capabilities": [{"ref": "noop", "config": {"n": 1e20}}]})
def test_no_session_breaks_the_server(api: Api, body: Any) -> None:
    before = api.get("/v1/sessions?limit=1").body["total"]

    reply = api.post("/v1/sessions", encoded(body))

    assert reply.status in (201, 400, 404)
    assert api.get("/v1/sessions?limit=1").body["total"] - before == (reply.status == 201)
    if reply.status == 201:
        assert api.get("/v1/sessions?limit=1").body["data"] == [reply.body]


@SHARED
@given(document=st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
@example(document=b"\x00")
@example(document=b"---\nname: a\n---\n\x00")
def test_no_document_breaks_the_server(api: Api, document: bytes) -> None:
    reply = api.send("POST", "/v1/agents/import", data=document, content_type="text/plain")

    assert reply.status in (200, 201, 400, 404, 409)


event_parameters = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "since_id",
                "after_sequence",
                "before_sequence",
                "limit",
                "around",
                "window",
                "types",
                "exclude",
                "from_ts",
                "to_ts",
                "turn_id",
                "exec_id",
                "trace_id",
                "tags",
                "tool_name",
                "q",
                "order_desc",
                "dialect",
                "offset",
                "search",
                "agent_id",
                "include_archived",
                "format",
                "name",
                "exclude_id",
                "status",
                "workflow_type",
                "activity_type",
                "workflow_id",
                "worker_group",
            ]
        ),
        st.integers().map(str)
        | st.text(max_size=8)
        | st.sampled_from(
            [
                "turn.*",
                "true",
                "2020-01-01T00:00:00Z",
                "%",
                "\\",
                "{own}",
                "\x00",
                "event_" + "f" * 32,
            ]
        ),
    ),
    max_size=4,
)
reads = st.sampled_from(
    [
        "/v1/agents",
        "/v1/agents/check-name",
        "/v1/sessions",
        "/v1/sessions/stats",
        "/v1/sessions/{id}",
        "/v1/sessions/{id}/diagnosis",
        "/v1/durable/circuit-breakers",
        "/v1/durable/dlq",
        "/v1/durable/health",
        "/v1/durable/tasks",
        "/v1/durable/workers",
        "/v1/durable/workflows",
        "/v1/durable/workflows/{turn}",
        "/v1/durable/workflows/{turn}/events",
        "/v1/sessions/{id}/events",
        "/v1/sessions/{id}/events/summary",
        "/v1/sessions/{id}/messages",
        "/v1/sessions/{id}/export",
    ]
)


@SHARED
@given(path=reads, parameters=event_parameters, tail=st.binary(max_size=6))
def test_no_query_breaks_the_server(
    api: Api,
    database: Database,
    path: str,
    parameters: list[tuple[str, str]],
    tail: bytes,
) -> None:
    session = api.session()
    if "{turn}" in path:
        api.message(session["id"])
        turn_id = open_turn_of(database, session["id"])
        path = path.replace("{turn}", show_id(Kind.TURN, turn_id))
    own = api.get(f"/v1/sessions/{session['id']}/events").body["data"][0]["id"]
    pairs = [f"{name}={quote(value.replace('{own}', own))}" for name, value in parameters]
    query = "&".join([*pairs, quote(tail)])

    reply = api.get(f"{path.replace('{id}', session['id'])}?{query}")

    assert reply.status in (200, 400, 501)


@SHARED
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    segments=st.lists(
        st.sampled_from(["v1", "api", "agents", "sessions", "messages", "events", "import", "pin"])
        | st.sampled_from(["durable", "workers", "workflows", "dlq", "retry", "drain", "diagnosis"])
        | st.text(max_size=5)
        | st.binary(max_size=5),
        max_size=5,
    ),
    key=st.none()
    | st.text(
        st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=5
    ),
)
def test_no_path_breaks_the_server(
    api: Api, method: str, segments: list[str | bytes], key: str | None
) -> None:
    path = "/".join(
        quote(segment if isinstance(segment, bytes) else segment.encode(errors="replace"), safe="")
        for segment in segments
    )
    headers = {} if key is None else {"Idempotency-Key": key, "X-Request-Id": key}

    reply = api.app.test_client().open(
        f"/{path}", method=method, headers={**api.headers, **headers}
    )

    assert reply.status_code < 500 or reply.status_code == 501
    assert reply.status_code not in (301, 302, 307, 308)
