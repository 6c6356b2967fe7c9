"""Thinking is a text stream like an answer's: its own deltas, its own end."""

import orjson

from api.streaming.relay import Delta, OpenText, Relay
from api.streaming.text_buffer import TextBuffer
from common.domain.events import EventType, TypeFilter
from tests.unit.streaming.entries import completed, opener, shown, thinking, thought


def relay_at(position: int, types: TypeFilter | None = None) -> tuple[Relay, TextBuffer]:
    buffer = TextBuffer()
    relay = Relay(position, types or TypeFilter(), buffer)
    relay.begins_to_read()
    relay.has_read(position)
    return relay, buffer


def taken(relay: Relay) -> list[object]:
    delta = relay.take_text()
    return [] if delta is None else shown([delta])


def test_thinking_goes_out_as_deltas_of_its_own() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([thinking(4)])
    buffer.push(4, 0, b"hm")
    delta = relay.take_text()
    assert delta is not None
    assert delta.opener.delta_type is EventType.THINKING_DELTA
    assert opener(4).delta_type is EventType.OUTPUT_DELTA


def test_a_missed_tail_of_thinking_goes_out_before_the_answer_begins() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([thinking(4)])
    buffer.push(4, 0, b"hm")
    relay.take_text()
    buffer.follow(6)
    outputs = relay.pass_on([thought(5, "hm, so", finishes=4), opener(6)])
    assert shown(outputs) == [(4, 2, 6), 5, 6]
    buffer.push(6, 0, b"So")
    assert taken(relay) == [(6, 0, 2)]


def test_text_that_waits_is_not_lost_to_the_stream_that_opens_in_the_same_breath() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([thinking(4)])
    buffer.push(4, 0, b"hm")
    relay.take_text()
    buffer.push(4, 2, b", s")
    outputs = relay.pass_on([thought(5, "hm, so", finishes=4), opener(6)])
    assert shown(outputs) == [(4, 2, 6), 5, 6]
    (tail, *_) = outputs
    assert isinstance(tail, Delta)
    assert tail.completed is not None, "the buffer may have turned to the answer by now"


def test_thinking_told_as_a_whole_disturbs_no_answer_under_way() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([opener(4)])
    buffer.push(4, 0, b"ab")
    relay.take_text()
    outputs = relay.pass_on([thought(5, "late"), completed(6, "abc", finishes=4)])
    # With the mark after the event in mid-text, and the answer's tail.
    assert shown(outputs) == [5, (4, 2, 2), (4, 2, 3), 6]


def test_each_kind_of_delta_can_be_left_out_alone() -> None:
    for excluded, expected in (
        ("reason.thinking.delta", [(6, 0, 2)]),
        ("output.message.delta", [(4, 0, 2)]),
    ):
        relay, buffer = relay_at(3, TypeFilter(exclude=(excluded,)))
        assert relay.wants_text
        relay.pass_on([thinking(4)])
        buffer.push(4, 0, b"hm")
        got = taken(relay)
        relay.pass_on([thought(5, "hm", finishes=4), opener(6)])
        buffer.push(6, 0, b"So")
        assert got + taken(relay) == expected


def test_a_resumed_text_that_is_filtered_out_is_not_gone_on_with() -> None:
    buffer = TextBuffer()
    buffer.push(4, 0, b"abcd")
    types = TypeFilter(exclude=("reason.thinking.delta",))
    relay = Relay(5, types, buffer, text=OpenText(thinking(4), 2))
    assert relay.text is None
    assert taken(relay) == []


def test_its_text_is_what_was_thought() -> None:
    assert thought(5, "hé", finishes=4).text == "hé".encode()
    head = orjson.loads(b"{" + thinking(4).opening.head + b'"delta":"x"}}')
    assert head["data"] == {"turn_id": "turn_1", "delta": "x"}
