import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.events import KNOWN_TYPES, TypeFilter, is_known_filter

_types = st.sampled_from(sorted(KNOWN_TYPES))
_families = _types.map(lambda name: name.rsplit(".", 1)[0] + ".*")
_patterns = st.lists(st.one_of(_types, _families), max_size=4).map(tuple)


@given(_types)
def test_an_empty_filter_admits_everything(event_type: str) -> None:
    assert TypeFilter().admits(event_type)


@given(event_type=_types, types=_patterns, exclude=_patterns)
def test_exclude_wins_over_types(
    event_type: str, types: tuple[str, ...], exclude: tuple[str, ...]
) -> None:
    both = TypeFilter(types, exclude).admits(event_type)
    assert both == (
        TypeFilter(types).admits(event_type) and TypeFilter((), exclude).admits(event_type)
    )


@pytest.mark.parametrize(
    ("pattern", "event_type", "is_admitted"),
    [
        ("turn.started", "turn.started", True),
        ("turn.started", "turn.completed", False),
        ("turn.*", "turn.completed", True),
        ("output.*", "output.message.delta", True),
        ("output.message.*", "output.message.delta", True),
        ("tool.*", "tool.output.delta", True),
        ("turn.*", "turn", False),
        ("turn.*", "turnover.started", False),
        ("*", "turn.started", False),
        ("turn.start", "turn.started", False),
    ],
)
def test_a_pattern_names_a_type_or_a_family(
    pattern: str, event_type: str, *, is_admitted: bool
) -> None:
    assert TypeFilter(types=(pattern,)).admits(event_type) is is_admitted
    assert TypeFilter(exclude=(pattern,)).admits(event_type) is not is_admitted


@pytest.mark.parametrize(
    "known",
    ["input.message", "output.message.delta", "output.*", "voice.*", "context.compaction.*"],
)
def test_types_of_the_contract_may_be_asked_for(known: str) -> None:
    assert is_known_filter(known)


@pytest.mark.parametrize(
    "unknown",
    ["", "*", ".*", "message.user", "connected", "disconnecting", "outp.*", "turn", "turn*"],
)
def test_other_types_may_not(unknown: str) -> None:
    assert not is_known_filter(unknown)
