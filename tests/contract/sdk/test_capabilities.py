"""Capabilities through the official client."""

import pytest
from everruns_sdk import Everruns, NotFoundError

pytestmark = pytest.mark.anyio


async def test_list_and_page(sdk: Everruns) -> None:
    page = await sdk.capabilities.list_page(search="test", offset=0, limit=1)
    assert (len(page.data), page.offset, page.limit) == (1, 0, 1)
    assert page.total > 1
    found = await sdk.capabilities.list(search="test math")
    assert [each.id for each in found] == ["test_math"]


async def test_get(sdk: Everruns) -> None:
    clock = await sdk.capabilities.get("current_time")
    assert (clock.id, clock.status, clock.icon) == ("current_time", "available", "clock")
    assert [tool["name"] for tool in clock.tool_definitions or ()] == ["get_current_time"]
    with pytest.raises(NotFoundError):
        await sdk.capabilities.get("nope")


async def test_guardrail_examples(sdk: Everruns) -> None:
    assert (await sdk.capabilities.list_guardrail_examples()).examples == []
