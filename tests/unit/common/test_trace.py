"""W3C trace context, as far as we take part in it."""

from uuid import UUID

import pytest

from common.domain.trace import TraceContext, parse_traceparent
from common.domain.turn import Claim

_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_HEADER = f"00-{_TRACE}-{_SPAN}-01"
_TURN = UUID("019bb2c0-a300-7a11-b200-aabbccddeeff")


def _claim(traceparent: str | None) -> Claim:
    return Claim(_TURN, UUID(int=1), UUID(int=2), 1, 1, 0, 1, "m", traceparent=traceparent)


def test_a_header_is_read_and_written_as_it_was() -> None:
    place = parse_traceparent(_HEADER)
    assert place == TraceContext(_TRACE, _SPAN)
    assert place.header == _HEADER
    unwanted = parse_traceparent(f"00-{_TRACE}-{_SPAN}-00")
    assert unwanted is not None
    assert (unwanted.is_sampled, unwanted.below("x").is_sampled) == (False, False)


def test_a_later_version_may_say_more() -> None:
    assert parse_traceparent(f"01-{_TRACE}-{_SPAN}-01-more") == TraceContext(_TRACE, _SPAN)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"ff-{_TRACE}-{_SPAN}-01",
        f"00-{_TRACE}-{_SPAN}-01-more",
        f"00-{'0' * 32}-{_SPAN}-01",
        f"00-{_TRACE}-{'0' * 16}-01",
        f"00-{_TRACE.upper()}-{_SPAN}-01",
        f"00-{_TRACE[1:]}-{_SPAN}-01",
        _HEADER * 1000,
    ],
)
def test_what_makes_no_sense_is_no_context(header: str | None) -> None:
    assert parse_traceparent(header) is None


def test_a_turns_place_is_the_same_on_every_worker() -> None:
    assert _claim(_HEADER).trace == _claim(_HEADER).trace
    assert _claim(_HEADER).trace.trace_id == _TRACE
    alone = _claim(None).trace
    assert alone.trace_id == _TURN.hex
    assert len(alone.span_id) == 16
    assert alone.below("chat", "e", 0) != alone.below("chat", "e", 1)
