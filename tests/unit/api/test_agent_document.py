"""Agents as documents: what is written reads back, and strangers' documents are bounded."""

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api import yaml_reader
from api.agent_document import read_document, write_document
from api.request_body import MAX_VALUES
from common.domain.agent import AgentConfig
from common.domain.errors import BadRequest, DomainError

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
tricky = st.sampled_from(
    [
        "---\nname: x\n---\n",
        "\n\n---",
        "a\r\nb\r",
        "yes",
        "no",
        "null",
        "~",
        "1e5",
        "1_000",
        "0x10",
        "2024-01-01",
        "12:30",
        ": #",
        "- a",
        "*alias",
        "&anchor",
        "!!str",
        "=",
        "<<",
        "\ufeffbom",
        "\x85\u2028\u2029",
        "\x7f\x80\x9f",
        " lead",
        "trail ",
        "tab\t",
        "'single' \"double\" \\",
        "🦊",
        "\ufffe",
        "x" * 3000,
    ]
)
words = texts | tricky
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words.map(lambda k: k[:200]), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(words.map(lambda key: key[:200]), values, max_size=3)
names = words.map(lambda text: text[:64]).filter(lambda text: text.strip() != "")
configs = st.builds(
    AgentConfig,
    name=names,
    system_prompt=words,
    display_name=st.none() | words.map(lambda text: text[:64]),
    description=st.none() | words,
    default_model_id=st.none() | words.map(lambda text: text[:64]),
    harness_name=st.sampled_from(["base", "generic"]),
    tags=st.lists(words.map(lambda text: text[:60]), max_size=3),
    capabilities=st.lists(
        st.builds(
            lambda ref, config: {"ref": ref, "config": config},
            st.sampled_from(["noop", "current_time"]),
            objects,
        ),
        max_size=2,
        unique_by=lambda capability: capability["ref"],
    ),
    tools=st.lists(
        st.builds(
            lambda description, parameters, extra: {
                "type": "client_side",
                "name": "a",
                "description": description,
                "parameters": parameters,
                **{f"x-{key}": value for key, value in extra.items()},
            },
            words.map(lambda text: text[:200]),
            objects,
            objects,
        ),
        max_size=1,
    ),
    mcp_servers=objects,
    network_access=st.none() | st.just({"allowed": ["a.example"], "blocked": []}),
    max_iterations=st.none() | st.integers(1, 100),
    parallel_tool_calls=st.none() | st.booleans(),
)


@given(configs)
@example(AgentConfig(name="a", system_prompt="", harness_name="base"))
@example(AgentConfig(name="a", system_prompt="---\n---\n\n", harness_name="base"))
@example(AgentConfig(name="a", system_prompt="\r\nx\r\n", harness_name="base"))
def test_what_is_written_reads_back(config: AgentConfig) -> None:
    document = write_document(config).encode()

    assert read_document(document, is_json=False).config == config


def test_the_document_is_as_people_write_it() -> None:
    config = AgentConfig(
        name="Assistant",
        system_prompt="You answer briefly.\n",
        harness_name="generic",
        tags=["yes", "plain"],
        capabilities=[{"ref": "noop", "config": {}}],
    )

    assert write_document(config) == (
        "---\n"
        "name: Assistant\n"
        "harness_name: generic\n"
        'tags: ["yes", "plain"]\n'
        'capabilities: [{"ref": "noop", "config": {}}]\n'
        "---\n"
        "\n"
        "You answer briefly.\n"
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("---\nname: A\n---\nPrompt", ("A", "Prompt")),
        ("---\r\nname: A\r\n---\r\n\r\nPrompt\r\n", ("A", "Prompt\r\n")),
        ("---\nname: A\nsystem_prompt: P\n---\n", ("A", "P")),
        ("---\nname: A\n---", ("A", "")),
        ("\ufeff---\nname: A\n---\n\n\nPrompt", ("A", "\nPrompt")),
        ("name: A\nsystem_prompt: |\n  Two\n  lines\n", ("A", "Two\nlines\n")),
        ("---\nname: A\nsystem_prompt: P\n", ("A", "P")),
        ("# comment\nname: yes\nsystem_prompt: 'no'\n", ("yes", "no")),
        ("name: 2024-01-01\nsystem_prompt: x", ("2024-01-01", "x")),
        ('{"name": "A", "system_prompt": "P"}', ("A", "P")),
        ("You are brief.\nAnd kind.", ("You are brief.", "You are brief.\nAnd kind.")),
        ("# Helper\n\nBe kind.", ("Helper", "# Helper\n\nBe kind.")),
        ("Note: be kind", ("Note: be kind", "Note: be kind")),
        ("---\nnot a mapping\n---\nText", ("Imported agent", "---\nnot a mapping\n---\nText")),
        ("x" * 100, ("x" * 64, "x" * 100)),
    ],
)
def test_documents_of_every_form_are_read(document: str, expected: tuple[str, str]) -> None:
    config = read_document(document.encode(), is_json=False).config

    assert (config.name, config.system_prompt) == expected


def test_the_words_of_older_documents_are_known() -> None:
    text = "---\nname: A\nmodel: gpt\nharness: base\ncapabilities: [noop]\n---\nP"

    config = read_document(text.encode(), is_json=False).config

    assert (config.default_model_id, config.harness_name) == ("gpt", "base")
    assert config.capabilities == [{"ref": "noop", "config": {}}]


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nname: A\nsystem_prompt: x\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    "document",
    [
        "",
        " \n",
        "---\nname: [\n---\nP",
        "---\ndescription: x\n---\nP",
        "---\nname: 5\n---\nP",
        BOMB,
        f"---\n{BOMB}---\nP",
        "name: !!python/object/apply:os.system [ls]\nsystem_prompt: x",
        "name: !!binary aGk=\nsystem_prompt: x",
        "name: !!timestamp 2020-01-01\nsystem_prompt: x",
        "name: A\nsystem_prompt: x\ndefault_model_id: !!set {a}",
        'name: A\nsystem_prompt: "\\0"',
        'name: A\nsystem_prompt: "\\ud800"',
        "name: A\nsystem_prompt: x\nmcpServers: {a: !!float .inf}",
        "name: A\nsystem_prompt: x\nmax_iterations: 99999999999999999999",
        "name: A\nsystem_prompt: x\nmcpServers: " + "[" * 200 + "]" * 200,
        "name: A\nsystem_prompt: x\nmcpServers: " + "{a: " * 5000,
        "name: A\nsystem_prompt: " + "- " * 5000,
        "---\nname: \x01\n---\n",
        "{",
        '{"name": "A"}',
        "[" * 100_000,
    ],
    ids=lambda document: repr(document[:24]),
)
def test_what_describes_no_agent_is_refused(document: str) -> None:
    if document.startswith("["):
        document = '{"name":' + document
    with pytest.raises(DomainError):
        read_document(document.encode(), is_json=False)


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadRequest):
        read_document(b"name: \xff", is_json=False)


@given(
    st.binary(max_size=200)
    | texts.map(str.encode)
    | st.lists(tricky).map(lambda t: "\n".join(t).encode())
)
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    try:
        read_document(document, is_json=False)
    except DomainError:
        return


def test_a_large_document_is_read_elsewhere_and_bounded() -> None:
    prompt = "long line\n" * 20_000
    front = json.dumps({"name": "A", "mcpServers": {"x": prompt}})
    config = read_document(f"---\n{front}\n---\n{prompt}".encode(), is_json=False).config
    assert config.mcp_servers == {"x": prompt}

    started = time.monotonic()
    for hostile in (
        "x: [" + "a, " * (MAX_VALUES + 5) + "a]",
        "x: " + "[" * 100_000,
        "a: &a x\nb: [" + "*a, " * 50_000 + "*a]",
        "x: " + "!!python/name:os.system " * 20_000,
    ):
        with pytest.raises(BadRequest):
            read_document(f"---\nname: A\n{hostile}\n---\nP".encode(), is_json=False)
    assert time.monotonic() - started < 20


def test_a_child_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "_CHILD_SECONDS", 0.001)

    with pytest.raises(BadRequest, match="too long"):
        yaml_reader.read_yaml("x: " + "y" * 100_000)


def test_the_harness_is_written_by_name_only() -> None:
    config: Any = AgentConfig(name="a", system_prompt="", harness_name="base")

    assert "harness_id" not in write_document(config)
