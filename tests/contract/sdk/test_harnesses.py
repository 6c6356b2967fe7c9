"""Harnesses through the official client."""

import pytest
from everruns_sdk import AgentCapabilityConfig, ApiError, Everruns, InitialFile, NotFoundError

from common.clock import new_id

pytestmark = pytest.mark.anyio

GENERIC = "harness_01933b5a000070008000000000000301"


def fresh_name(what: str = "frame") -> str:
    return f"{what}-{new_id().hex}"


async def test_create_get_update_and_delete(sdk: Everruns) -> None:
    made = await sdk.harnesses.create(
        fresh_name(),
        "You keep to the rules.",
        display_name="The Frame",
        description="Rules",
        tags=["r"],
        capabilities=[AgentCapabilityConfig(ref="current_time")],
        initial_files=[InitialFile(path="/rules.md", content="# Rules")],
        parent_harness_id=GENERIC,
    )

    got = await sdk.harnesses.get(made.id)
    changed = await sdk.harnesses.update(made.id, description="Stricter")
    await sdk.harnesses.delete(made.id)

    assert got == made
    assert (got.display_name, got.tags, got.parent_harness_id) == ("The Frame", ["r"], GENERIC)
    assert [each.ref for each in got.capabilities or []] == ["current_time"]
    assert (changed.description, changed.system_prompt) == ("Stricter", "You keep to the rules.")
    assert (await sdk.harnesses.get(made.id)).status == "archived"
    with pytest.raises(NotFoundError):
        await sdk.harnesses.get(fresh_name("nobody"))


async def test_list_and_search(sdk: Everruns) -> None:
    made = await sdk.harnesses.create(fresh_name(), "p")

    assert {"base", "generic", made.name} <= {each.name for each in await sdk.harnesses.list()}
    assert [each.id for each in await sdk.harnesses.search(made.name)] == [made.id]


async def test_built_in_ones_are_read_only(sdk: Everruns) -> None:
    generic = await sdk.harnesses.get(GENERIC)

    assert (generic.name, generic.is_built_in) == ("generic", True)
    for change in (sdk.harnesses.update(GENERIC, description="x"), sdk.harnesses.delete(GENERIC)):
        with pytest.raises(ApiError) as refused:
            await change
        assert refused.value.status_code == 403


async def test_examples(sdk: Everruns) -> None:
    examples = await sdk.harnesses.list_examples()

    assert {"deep-research", "project-worker"} <= {each.name for each in examples}
    assert all(each.capabilities for each in examples)
