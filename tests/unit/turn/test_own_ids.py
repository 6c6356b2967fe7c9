"""What a model asks tools for is made storable at the driver's border."""

import pytest

from common.domain.turn import ToolCall
from worker.capabilities.tool_result import NotStorable
from worker.turn.reasoning import with_own_ids


def test_names_and_arguments_are_made_storable() -> None:
    (call,) = with_own_ids(
        (ToolCall("c1", "lo\x00ok", {"q\ud800": ["a\x00b", 1.5, None]}),), set(), lambda: "own"
    )
    assert call == ToolCall("c1", "lo�ok", {"q�": ["a�b", 1.5, None]})


@pytest.mark.parametrize("value", [float("nan"), 2**70, object()])
def test_arguments_that_are_no_json_are_refused(value: object) -> None:
    with pytest.raises(NotStorable):
        with_own_ids((ToolCall("c1", "look", {"q": value}),), set(), lambda: "own")
