"""Whether a walk ended right, from the log and the rows, the effects and what was published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import text

from common.domain.events import TERMINAL_TYPES, EventType
from common.domain.ids import Kind as IdKind
from common.domain.ids import show_id
from common.event_codec import LoggedEvent
from common.live_frames import LiveEvent, LiveText, decode
from common.storage import log
from tests.chaos.crash_points.points import Kind
from tests.chaos.crash_points.scenarios import ANSWER, Happening
from tests.chaos.crash_points.stage import Stage

_DEATHS = (Kind.DIES_BEFORE, Kind.DIES_AFTER)
_FAILURES = (Kind.FAILS_BEFORE, Kind.FAILS_AFTER)


def faults_of(stage: Stage) -> list[str]:
    """What is wrong with how it ended, in words; nothing when all is right."""
    with stage.ground.database.reading() as tx:
        events = list(log.read_all(tx, stage.session_id, 0))
        turns = tx.execute(
            text("SELECT id, status FROM turns WHERE session_id = :s"), {"s": stage.session_id}
        ).all()
    return [
        *_of_the_log(events),
        *_of_the_end(stage, events),
        *_of_turns(stage, events, {show_id(IdKind.TURN, turn.id): turn.status for turn in turns}),
        *_of_messages(stage, events),
        *_of_calls(stage, events),
        *_of_frames(stage, events),
    ]


def _of_the_log(events: list[LoggedEvent]) -> Iterator[str]:
    sequences = [event.sequence for event in events]
    if sequences != list(range(1, len(events) + 1)):
        yield f"the log's numbers are {sequences}"
    stamps = [event.ts for event in events]
    if stamps != sorted(stamps):
        yield "time goes back"


def _of_the_end(stage: Stage, events: list[LoggedEvent]) -> Iterator[str]:
    head = stage.head()
    if (head.status, head.open_turn_id) != ("idle", None):
        yield f"the session is {head.status}"
    if not events or events[-1].type != EventType.SESSION_IDLED:
        yield f"the last event is {events[-1].type if events else None}"


def _of_turns(stage: Stage, events: list[LoggedEvent], turns: dict[str, str]) -> Iterator[str]:
    ended = [event for event in events if event.type in TERMINAL_TYPES]
    if Counter(event.data["turn_id"] for event in ended) != Counter(turns.keys()):
        yield f"the ends are {[(e.type, e.data['turn_id']) for e in ended]} of {list(turns)}"
    for event in ended:
        status = turns.get(event.data["turn_id"])
        if event.type != f"turn.{status}":
            yield f"{event.type} of a turn that is {status}"
        if status not in _allowed_ends(stage):
            yield f"a turn is {status}: {event.data}"
    said = _said(events)
    if ended and ended[-1].type == EventType.TURN_COMPLETED and _text_of(said[-1]) != ANSWER:
        yield f"the answer is {_text_of(said[-1])!r}"


def _allowed_ends(stage: Stage) -> set[str]:
    allowed = {"completed"}
    fault = stage.fault
    if Happening.CANCEL in stage.scenario.planned.values():
        allowed.add("cancelled")
    if fault is not None and fault.kind is Kind.CANCEL:
        allowed.add("cancelled")
    if fault is not None and fault.kind in _FAILURES and _is_of_model(stage):
        allowed.add("failed")
    return allowed


def _is_of_model(stage: Stage) -> bool:
    """A provider that fails in mid-answer fails the turn, visibly."""
    return stage.fault is not None and "the model" in _label(stage)


def _label(stage: Stage) -> str:
    assert stage.fault is not None
    return stage.points.met[stage.fault.number - 1].label


def _of_messages(stage: Stage, events: list[LoggedEvent]) -> Iterator[str]:
    inputs = [event for event in events if event.type == EventType.INPUT_MESSAGE]
    stored = [event.data["message"]["id"] for event in inputs]
    if sorted(stored) != sorted(stage.accepted):
        yield f"{len(stage.accepted)} messages were accepted, {len(stored)} are stored"
    for message in inputs:
        later = [event for event in events if event.sequence > message.sequence]
        reads = [n for n, event in enumerate(later) if event.type == EventType.REASON_STARTED]
        answered = bool(reads) and any(
            event.type in (EventType.TURN_COMPLETED, EventType.TURN_FAILED)
            for event in later[reads[0] :]
        )
        if not answered and not any(e.type == EventType.TURN_CANCELLED for e in later):
            yield f"the message at {message.sequence} has no answer"


def _of_calls(stage: Stage, events: list[LoggedEvent]) -> Iterator[str]:
    called = {
        part["id"]: part["name"]
        for event in _said(events)
        for part in event.data["message"]["content"]
        if part["type"] == "tool_call"
    }
    results = [event.data for event in events if event.type == EventType.TOOL_COMPLETED]
    if Counter(result["tool_call_id"] for result in results) != Counter(called.keys()):
        yield f"{list(called)} have the results {[r['tool_call_id'] for r in results]}"
    made = Counter(stage.effects.made)
    for result in results:
        call_id = result["tool_call_id"]
        times = made.pop(f"{stage.session_id.hex}:{call_id}", 0)
        yield from _of_effect(stage, called.get(call_id, "?"), result, times)
    if made:
        yield f"effects of calls that nobody knows: {dict(made)}"


def _of_effect(stage: Stage, name: str, result: dict[str, Any], times: int) -> Iterator[str]:
    if name == "look_up":
        return
    if result["success"] and times == 0:
        yield f"{name} is said to be done and was not"
    if times > 1 and not _may_repeat(stage, name):
        yield f"{name} was done {times} times"
    if name == "act_reconcile" and times and result["status"] == "error" and not _broke(stage):
        yield f"{name} was done, and could have been found out: {result}"


def _may_repeat(stage: Stage, name: str) -> bool:
    """Only a worker's death repeats a call, and only of a tool that may be called again."""
    fault = stage.fault
    dies = fault is not None and fault.kind in _DEATHS
    dies = dies or Happening.DEATH in stage.scenario.planned.values()
    return dies and name in ("act_pure", "act_idempotent")


def _broke(stage: Stage) -> bool:
    return stage.fault is not None and stage.fault.kind in _FAILURES and "act_" in _label(stage)


def _of_frames(stage: Stage, events: list[LoggedEvent]) -> Iterator[str]:
    """Nobody heard of what is not so: told events are in the log, streamed text is its text."""
    bodies = {event.sequence: orjson.loads(event.to_bytes()) for event in events}
    texts: dict[int, bytes] = {}
    for frame in stage.frames:
        heard = decode(frame)
        if isinstance(heard, LiveText):
            so_far = texts.get(heard.opener, b"")
            if heard.start != len(so_far):
                yield f"text at {heard.start} after {len(so_far)} bytes"
            texts[heard.opener] = so_far + heard.text
        elif isinstance(heard, tuple):
            yield from _told_in_vain(heard, bodies)
    for event in _said(events):
        streamed = texts.get(event.context.get("stream_sequence", 0), b"")
        if not _text_of(event).encode().startswith(streamed):
            yield f"{streamed!r} was streamed of {_text_of(event)!r}"


def _told_in_vain(told: tuple[LiveEvent, ...], bodies: dict[int, Any]) -> Iterator[str]:
    for event in told:
        if bodies.get(event.sequence) != orjson.loads(event.body):
            yield f"{event.type} at {event.sequence} was published and is not in the log"


def _said(events: list[LoggedEvent]) -> list[LoggedEvent]:
    return [event for event in events if event.type == EventType.OUTPUT_COMPLETED]


def _text_of(event: LoggedEvent) -> str:
    parts = event.data["message"]["content"]
    return "".join(part.get("text", "") for part in parts)
