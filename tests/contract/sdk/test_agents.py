"""Agents through the official client."""

import pytest
from everruns_sdk import (
    Agent,
    AgentCapabilityConfig,
    ApiError,
    Everruns,
    InitialFile,
    NotFoundError,
    ToolDefinition,
    generate_agent_id,
)

from common.clock import new_id

pytestmark = pytest.mark.anyio


def fresh_name(what: str = "clerk") -> str:
    return f"{what}-{new_id().hex}"


async def test_create_then_get(sdk: Everruns) -> None:
    name = fresh_name()
    made = await sdk.agents.create(
        name,
        "You file letters.",
        display_name="The Clerk",
        description="Files letters",
        tags=["office", "quiet"],
        capabilities=[AgentCapabilityConfig(ref="test_math")],
        parallel_tool_calls=False,
    )

    got = await sdk.agents.get(made.id)

    assert got == made
    assert (got.name, got.system_prompt, got.status) == (name, "You file letters.", "active")
    assert (got.display_name, got.description) == ("The Clerk", "Files letters")
    assert (got.tags, got.parallel_tool_calls) == (["office", "quiet"], False)
    assert [capability.ref for capability in got.capabilities or []] == ["test_math"]


async def test_get_by_name(sdk: Everruns) -> None:
    made = await sdk.agents.create(fresh_name(), "p")

    assert (await sdk.agents.get(made.name)).id == made.id


async def test_tools_files_and_harness_are_kept(sdk: Everruns) -> None:
    look_up = ToolDefinition.model_validate(
        {
            "type": "client_side",
            "name": "look_up",
            "description": "Looks things up",
            "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
        }
    )

    made = await sdk.agents.create(
        fresh_name(),
        "p",
        tools=[look_up],
        initial_files=[InitialFile(path="/notes.md", content="# Notes")],
        harness_name="base",
    )

    got = await sdk.agents.get(made.id)
    assert [tool.model_dump()["name"] for tool in got.tools or []] == ["look_up"]
    assert [(f.path, f.content) for f in got.initial_files or []] == [("/notes.md", "# Notes")]
    assert got.harness_id == "harness_01933b5a000070008000000000000300"


async def test_apply_creates_under_the_given_id_and_then_updates(sdk: Everruns) -> None:
    agent_id, name = generate_agent_id(), fresh_name()

    first = await sdk.agents.apply(agent_id, name, "one", tags=["a"])
    second = await sdk.agents.apply(agent_id, f"{name[:40]}-renamed", "two")

    assert first.id == second.id == agent_id
    got = await sdk.agents.get(agent_id)
    assert (got.name, got.system_prompt) == (f"{name[:40]}-renamed", "two")
    assert got.tags == []
    assert got.created_at == first.created_at


async def test_apply_by_name_creates_and_then_updates(sdk: Everruns) -> None:
    name = fresh_name()

    first = await sdk.agents.apply_by_name(name, "one", description="old")
    second = await sdk.agents.apply_by_name(name, "two", description="new")

    assert first.id == second.id
    got = await sdk.agents.get(first.id)
    assert (got.system_prompt, got.description) == ("two", "new")


async def test_list_shows_the_newest_agents_and_search_finds_by_every_word(sdk: Everruns) -> None:
    mark = new_id().hex[:12]
    north = await sdk.agents.create(f"north-{mark}", "p", description="Snow and ICE")
    south = await sdk.agents.create(f"south-{mark}", "p", display_name="Sand")

    async def found(search: str) -> set[str]:
        return {agent.id for agent in await sdk.agents.list(search=search)}

    assert {north.id, south.id} <= {agent.id for agent in await sdk.agents.list()}
    assert await found(mark) == {north.id, south.id}
    assert await found(f"{mark} ice") == {north.id}
    assert await found(f"SAND {mark}") == {south.id}
    assert await found(f"{mark} fire") == set()


async def test_a_deleted_agent_is_not_listed_any_more(sdk: Everruns) -> None:
    made = await sdk.agents.create(fresh_name("gone"), "p")

    await sdk.agents.delete(made.id)

    assert await sdk.agents.list(search=made.name) == []
    assert (await sdk.agents.get(made.id)).status == "archived"


async def test_a_copy_is_another_agent_with_the_same_content(sdk: Everruns) -> None:
    made = await sdk.agents.create(
        fresh_name(), "You copy.", tags=["x"], capabilities=[AgentCapabilityConfig(ref="test_math")]
    )

    first, second = await sdk.agents.copy(made.id), await sdk.agents.copy(made.id)

    assert len({made.id, first.id, second.id}) == 3
    assert len({made.name, first.name, second.name}) == 3
    assert _content(first) == _content(second) == _content(made)


def _content(agent: Agent) -> dict[str, object]:
    whole = agent.model_dump()
    kept = ("system_prompt", "description", "tags", "capabilities", "tools", "initial_files")
    return {name: whole[name] for name in kept}


async def test_what_is_exported_imports_as_the_same_agent(sdk: Everruns) -> None:
    made = await sdk.agents.create(
        fresh_name("traveller"),
        "You travel.\n\n---\nYes: really\n",
        display_name="The: Traveller",
        description='Says "bon voyage" ± often',
        tags=["yes", "1", "null"],
        capabilities=[AgentCapabilityConfig(ref="test_weather", config={"units": "celsius"})],
    )
    text = await sdk.agents.export(made.id)
    await sdk.agents.apply(made.id, made.name, "spoilt", description="spoilt")

    back = await sdk.agents.import_agent(text)

    assert back.id == made.id
    assert back.display_name == made.display_name
    assert _content(back) == _content(made)
    assert await sdk.agents.export(back.id) == text


async def test_an_import_of_a_new_name_makes_a_new_agent(sdk: Everruns) -> None:
    name = fresh_name("fresh")

    made = await sdk.agents.import_agent(
        f"---\nname: {name}\ndescription: From a file\ntags: [a, b]\n---\nYou were a file.\n"
    )

    got = await sdk.agents.get(made.id)
    assert (got.name, got.description, got.tags) == (name, "From a file", ["a", "b"])
    assert got.system_prompt.strip() == "You were a file."


async def test_agents_that_are_not_there_and_requests_that_are_wrong(sdk: Everruns) -> None:
    with pytest.raises(NotFoundError) as missing:
        await sdk.agents.get(generate_agent_id())
    assert missing.value.status_code == 404
    assert missing.value.message

    with pytest.raises(ApiError) as unknown:
        await sdk.agents.create(
            fresh_name(), "p", capabilities=[AgentCapabilityConfig(ref="no_such_thing")]
        )
    assert unknown.value.status_code == 400
    assert "capabilities[0]" in unknown.value.message
