"""Entries for tests of single rules."""

from api.streaming.entry import LogEntry
from api.streaming.relay import Delta, Output, Reported
from common.domain.events import EventType
from common.live_frames import live_event
from tests.unit.streaming.simulated import logged


def note(sequence: int) -> LogEntry:
    return LogEntry(live_event(logged(sequence, EventType.SESSION_TITLE_UPDATED, {"title": "t"})))


def opener(sequence: int) -> LogEntry:
    data = {"turn_id": "turn_1", "message_id": str(sequence)}
    return LogEntry(live_event(logged(sequence, EventType.OUTPUT_STARTED, data, turn_id="turn_1")))


def completed(sequence: int, text: str, *, finishes: int = 0) -> LogEntry:
    context = {"stream_sequence": finishes} if finishes else {}
    data = {"message": {"content": [{"type": "text", "text": text}]}}
    return LogEntry(live_event(logged(sequence, EventType.OUTPUT_COMPLETED, data, **context)))


def thinking(sequence: int) -> LogEntry:
    data = {"turn_id": "turn_1", "model": "some-model"}
    return LogEntry(live_event(logged(sequence, EventType.THINKING_STARTED, data)))


def thought(sequence: int, text: str, *, finishes: int = 0) -> LogEntry:
    context = {"stream_sequence": finishes} if finishes else {}
    data = {"turn_id": "turn_1", "thinking": text}
    return LogEntry(live_event(logged(sequence, EventType.THINKING_COMPLETED, data, **context)))


def failed(sequence: int) -> LogEntry:
    return LogEntry(live_event(logged(sequence, EventType.TURN_FAILED, {})))


def shown(outputs: list[Output]) -> list[object]:
    """Events as their number, deltas as (opener, start, end), reports as their cursor."""
    return [_shown(each) for each in outputs]


def _shown(output: Output) -> object:
    match output:
        case Delta():
            return output.opener.sequence, output.start, output.end
        case Reported():
            return output.cursor
        case _:
            return output.sequence
