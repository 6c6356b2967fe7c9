"""The relay's rules, one by one (design 4 and 7)."""

from api.streaming.relay import OpenText, Relay, Reported
from api.streaming.text_buffer import TextBuffer
from common.domain.events import TypeFilter
from tests.unit.streaming.entries import completed, failed, note, opener, shown

EVERYTHING = TypeFilter()


def relay_at(position: int, *, types: TypeFilter = EVERYTHING) -> tuple[Relay, TextBuffer]:
    """A relay that has read the log to its position."""
    buffer = TextBuffer()
    relay = Relay(position, types, buffer)
    relay.begins_to_read()
    relay.has_read(position)
    return relay, buffer


def in_text(offset: int, *, position: int = 5) -> tuple[Relay, TextBuffer]:
    """A relay that resumes in the text of opener 4, of which nothing is known here."""
    buffer = TextBuffer()
    relay = Relay(position, EVERYTHING, buffer, text=OpenText(opener(4), offset))
    relay.begins_to_read()
    relay.has_read(position)
    return relay, buffer


def taken(relay: Relay) -> list[object]:
    delta = relay.take_text()
    return [] if delta is None else shown([delta])


def test_events_pass_once_and_in_order() -> None:
    relay, _ = relay_at(2)
    assert shown(relay.pass_on([note(3), note(4)])) == [3, 4]
    assert shown(relay.pass_on([note(2), note(4), note(5)])) == [5]
    assert not relay.is_behind


def test_a_gap_stops_what_follows_and_asks_for_the_log() -> None:
    relay, _ = relay_at(2)
    assert shown(relay.pass_on([note(3), note(5), note(6)])) == [3]
    assert relay.is_behind
    assert shown(relay.pass_on([note(4), note(5)])) == [4, 5]
    assert not relay.is_behind


def test_a_new_relay_reads_the_log_before_it_trusts_its_position() -> None:
    relay = Relay(2, EVERYTHING, TextBuffer())
    assert relay.is_behind
    relay.begins_to_read()
    assert relay.is_behind
    relay.has_read(3)
    assert relay.is_behind
    relay.pass_on([note(3)])
    assert not relay.is_behind


def test_what_is_heard_while_the_log_is_read_asks_for_another_read() -> None:
    relay, _ = relay_at(2)
    relay.has_heard_of(3)
    relay.begins_to_read()
    relay.pass_on([note(4)])
    relay.pass_on([note(3)])
    relay.has_read(3)
    assert relay.is_behind


def test_hearsay_that_the_log_does_not_confirm_is_forgotten() -> None:
    relay, _ = relay_at(2)
    relay.has_heard_of(9)
    relay.begins_to_read()
    relay.has_read(2)
    assert not relay.is_behind


def test_text_goes_out_after_its_opener_and_in_pieces() -> None:
    relay, buffer = relay_at(3)
    buffer.push(4, 0, b"ab")
    assert taken(relay) == []
    relay.pass_on([opener(4)])
    assert taken(relay) == [(4, 0, 2)]
    buffer.push(4, 2, b"c")
    assert taken(relay) == [(4, 2, 3)]
    assert taken(relay) == []


def test_text_of_an_opener_that_was_not_sent_is_a_gap() -> None:
    relay, buffer = relay_at(2)
    buffer.push(4, 0, b"ab")
    assert taken(relay) == []
    assert relay.is_behind


def test_text_of_an_older_stream_is_dropped() -> None:
    relay, buffer = relay_at(3)
    buffer.push(4, 0, b"ab")
    relay.pass_on([opener(4), note(5), opener(6)])
    assert taken(relay) == []


def test_text_that_waits_goes_out_before_the_event_that_completes_it() -> None:
    relay, buffer = relay_at(3)
    buffer.push(4, 0, b"abc")
    outputs = relay.pass_on([opener(4), completed(5, "abc", finishes=4)])
    assert shown(outputs) == [4, (4, 0, 3), 5]


def test_a_missed_tail_goes_out_before_the_event_that_completes_it() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([opener(4)])
    buffer.push(4, 0, b"ab")
    relay.take_text()
    outputs = relay.pass_on([completed(5, "abcd", finishes=4), note(6)])
    assert shown(outputs) == [(4, 2, 4), 5, 6]


def test_no_tail_for_who_had_no_text() -> None:
    relay, _ = relay_at(3)
    assert shown(relay.pass_on([opener(4), completed(5, "abcd", finishes=4)])) == [4, 5]


def test_no_tail_for_who_had_it_all() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([opener(4)])
    buffer.push(4, 0, b"abcd")
    relay.take_text()
    assert shown(relay.pass_on([completed(5, "abcd", finishes=4)])) == [5]


def test_an_apology_closes_the_text_without_a_tail() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([opener(4)])
    buffer.push(4, 0, b"ab")
    relay.take_text()
    assert shown(relay.pass_on([failed(5), completed(6, "abcdef"), note(7)])) == [5, 6, 7]
    buffer.push(4, 2, b"c")
    assert taken(relay) == []


def test_a_new_opener_supersedes_the_text_before() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([opener(4)])
    buffer.push(4, 0, b"ab")
    relay.take_text()
    assert shown(relay.pass_on([note(5), opener(6)])) == [5, (4, 2, 2), 6]
    buffer.push(4, 2, b"c")
    assert taken(relay) == []
    buffer.push(6, 0, b"xyz")
    assert taken(relay) == [(6, 0, 3)]
    assert shown(relay.pass_on([completed(7, "xyz", finishes=6)])) == [7]


def test_a_stream_complete_in_the_log_is_replayed_without_deltas() -> None:
    buffer = TextBuffer()
    buffer.push(4, 0, b"abcd")
    relay = Relay(3, EVERYTHING, buffer)
    relay.begins_to_read()
    outputs = relay.pass_on([opener(4)])
    assert taken(relay) == []
    outputs += relay.pass_on([completed(5, "abcd", finishes=4)])
    assert shown(outputs) == [4, 5]


def test_a_text_under_way_is_caught_up_with_in_one_delta() -> None:
    buffer = TextBuffer()
    relay = Relay(3, EVERYTHING, buffer)
    relay.begins_to_read()
    relay.pass_on([opener(4)])
    relay.has_read(4)
    buffer.push(4, 0, b"abcd")
    assert taken(relay) == [(4, 0, 4)]


def test_an_event_in_mid_text_is_followed_by_a_mark_of_the_place() -> None:
    relay, buffer = relay_at(3)
    relay.pass_on([opener(4)])
    assert shown(relay.pass_on([note(5)])) == [5]
    buffer.push(4, 0, b"ab")
    relay.take_text()
    outputs = relay.pass_on([note(6), note(7)])
    assert shown(outputs) == [6, (4, 2, 2), 7, (4, 2, 2)]
    assert all(not isinstance(each, Reported) for each in outputs)
    assert [each.sequence for each in outputs if not isinstance(each, Reported)] == [6, 6, 7, 7]


def test_resumed_in_mid_text_the_rest_follows_even_before_the_log_was_read() -> None:
    buffer = TextBuffer()
    buffer.push(4, 0, b"abcd")
    relay = Relay(5, EVERYTHING, buffer, text=OpenText(opener(4), 3))
    assert taken(relay) == [(4, 3, 4)]


def test_resumed_in_mid_text_that_is_complete_by_now_the_tail_comes_first() -> None:
    relay, _ = in_text(3)
    assert shown(relay.pass_on([completed(6, "abcdé", finishes=4)])) == [(4, 3, 6), 6]


def test_resumed_beyond_what_is_known_of_the_text_nothing_is_repeated() -> None:
    relay, buffer = in_text(3)
    buffer.push(4, 0, b"ab")
    assert taken(relay) == []
    buffer.push(4, 2, b"cd")
    assert taken(relay) == [(4, 3, 4)]


def test_filtered_events_move_the_position_and_are_not_sent() -> None:
    relay, buffer = relay_at(3, types=TypeFilter(exclude=("output.message.started",)))
    assert shown(relay.pass_on([opener(4)])) == []
    buffer.push(4, 0, b"ab")
    assert taken(relay) == [(4, 0, 2)]
    assert relay.position == 4


def test_who_filters_deltas_out_costs_no_text_work() -> None:
    no_deltas = TypeFilter(exclude=("output.message.delta", "reason.thinking.delta"))
    relay, buffer = relay_at(3, types=no_deltas)
    relay.pass_on([opener(4)])
    buffer.push(4, 0, b"ab")
    buffer.push(9, 0, b"ab")
    assert not relay.wants_text
    assert taken(relay) == []
    assert not relay.is_behind
    assert shown(relay.pass_on([completed(5, "abc", finishes=4)])) == [5]
