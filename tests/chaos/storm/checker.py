"""The verdict: what clients saw against what there is, read from the HTTP API and the database.

It knows nothing of how the system works, only what was promised: rows, events, and what
clients, subscribers and the recorder of effects noted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

import psycopg2
import psycopg2.extras

from tests.chaos.storm.installation import Held
from tests.chaos.storm.load import Accepted, Evidence, TurnKind
from tests.chaos.storm.plan import Act
from tests.chaos.storm.rest import Json, Rest
from tests.chaos.storm.subscriber import Recording

_ENDS: Final = {
    "turn.completed": "completed",
    "turn.failed": "failed",
    "turn.cancelled": "cancelled",
    "turn.sealed": "sealed",
}
_MAY_END: Final = {TurnKind.CANCELLED: "turn.cancelled", TurnKind.FAILING: "turn.failed"}
_MAY_REPEAT: Final = ("pure", "idempotent")

Effects = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Recovery:
    """How a held turn moved on.

    Attributes:
        seconds: from the last hit to the next event.
        from_first: the same from the first hit; more when its next worker was hit as well
            before the turn had moved on.
        hits: what was done to its workers, one after the other.
    """

    session_id: UUID
    seconds: float
    from_first: float
    hits: tuple[Act, ...]


@dataclass
class Figures:
    """What was counted.  Those under `wrong` must be nought."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    recoveries: list[Recovery] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    def blame(self, what: str, example: str, number: int = 1) -> None:
        self.wrong[what] += number
        self.examples.append(f"{what}: {example}")

    @property
    def is_clean(self) -> bool:
        return not +self.wrong


@dataclass
class _Session:
    """What clients noted of one session."""

    id: str
    accepted: list[Accepted] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    effects: dict[tuple[str, str], int] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)

    @property
    def uuid(self) -> UUID:
        return _uuid(self.id)


class Checker:
    """Goes through everything once the system is quiet."""

    def __init__(self, database_url: str, rest: Rest) -> None:
        self._url = database_url
        self._rest = rest
        self.figures = Figures()

    def check(self, evidence: Evidence, effects: Effects, held: Sequence[Held]) -> Figures:
        """Session by session: a long run has more events than there is memory for."""
        by_session = {session_id: _Session(session_id) for session_id in evidence.sessions}
        by_uuid = {each.uuid: each for each in by_session.values()}
        for accepted in evidence.accepted:
            by_session[accepted.session_id].accepted.append(accepted)
        for recording in evidence.recordings:
            by_session[recording.session_id].recordings.append(recording)
        for hit in held:
            if hit.session_id in by_uuid:
                by_uuid[hit.session_id].held.append(hit)
        for (side_effect, key), times in effects.items():
            session = by_uuid.get(UUID(key.partition(":")[0]))
            if session is None:
                self.figures.blame("effects of calls without a result", key)
            else:
                session.effects[side_effect, key] = times
        with closing(psycopg2.connect(self._url)) as database:
            for each in by_session.values():
                self._check_session(database, each)
        for what in (*evidence.unanswered, *evidence.refused):
            self.figures.blame("requests without a good answer", what)
        self.figures.counts["requests asked again"] = evidence.requests_failed
        self.figures.recoveries.sort(key=lambda each: each.seconds)
        return self.figures

    def _check_session(self, database: Any, session: _Session) -> None:
        log = self._log(session.id)
        self._check_rows(database, session.id, log)
        for accepted in session.accepted:
            self._check_message(accepted, log)
        for recording in session.recordings:
            self._check_recording(recording, log)
        self._check_calls(session, log)
        self.figures.recoveries += recoveries(session.held, log)

    # --- the log -------------------------------------------------------------------------

    def _log(self, session_id: str) -> list[Json]:
        log = self._rest.log(session_id)
        self.figures.counts["events"] += len(log)
        numbers = [event["sequence"] for event in log]
        if numbers != list(range(1, len(log) + 1)):
            self.figures.blame("holes or repeats in a log", f"{session_id}: {numbers}")
        if any(one["ts"] > other["ts"] for one, other in pairwise(log)):
            self.figures.blame("time going back in a log", session_id)
        session = self._rest.get(f"/sessions/{session_id}").body
        if session["status"] not in ("idle", "started"):
            self.figures.blame("sessions stuck", f"{session_id} is {session['status']}")
        self.figures.counts["sessions"] += 1
        return log

    def _check_rows(self, database: Any, session_id: str, log: list[Json]) -> None:
        """The database holds what the API shows, and its turns ended as the log says."""
        with database.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor) as cursor:
            cursor.execute(
                "SELECT sequence, type FROM events WHERE session_id = %s ORDER BY sequence",
                [str(_uuid(session_id))],
            )
            rows = [(row.sequence, row.type) for row in cursor.fetchall()]
            cursor.execute(
                "SELECT id, status FROM turns WHERE session_id = %s", [str(_uuid(session_id))]
            )
            turns = {UUID(str(row.id)): row.status for row in cursor.fetchall()}
        if rows != [(event["sequence"], event["type"]) for event in log]:
            self.figures.blame("logs that API and database tell differently", session_id)
        ends: dict[UUID, list[str]] = {turn_id: [] for turn_id in turns}
        for event in log:
            if event["type"] in _ENDS:
                ends.setdefault(_uuid(event["data"]["turn_id"]), []).append(_ENDS[event["type"]])
        for turn_id, told in ends.items():
            self.figures.counts["turns"] += 1
            self.figures.counts[f"turns {turns.get(turn_id)}"] += 1
            if told != [turns.get(turn_id)]:
                what = f"{session_id} {turn_id} is {turns.get(turn_id)}, told {told}"
                self.figures.blame("turns with other than one end", what)

    # --- messages ------------------------------------------------------------------------

    def _check_message(self, accepted: Accepted, log: list[Json]) -> None:
        self.figures.counts["messages accepted"] += 1
        stored = [
            event["sequence"]
            for event in log
            if event["type"] == "input.message"
            and event["data"]["message"]["id"] == accepted.message_id
        ]
        if len(stored) != 1:
            self.figures.blame("messages lost or doubled", f"{accepted} is at {stored}")
            return
        later = log[stored[0] :]
        end = next((place for place, event in enumerate(later) if event["type"] in _ENDS), None)
        if end is None:
            self.figures.blame("messages without an answer", str(accepted))
            return
        until_end = later[: end + 1]
        kind = until_end[-1]["type"]
        was_read = any(event["type"] == "reason.started" for event in until_end)
        if not was_read and kind in ("turn.completed", "turn.failed"):
            # The turn ended without a look at it: another one reads it.
            rest = later[end + 1 :]
            was_read = any(event["type"] == "reason.started" for event in rest)
        if not was_read and kind not in ("turn.cancelled", "turn.sealed"):
            self.figures.blame("messages without an answer", f"{accepted} ended by {kind}")
            return
        self.figures.counts[f"messages {_words(kind)}"] += 1
        if accepted.is_last:
            self._check_answer(accepted, until_end)

    def _check_answer(self, accepted: Accepted, events: list[Json]) -> None:
        kind = events[-1]["type"]
        if kind not in ("turn.completed", "turn.sealed", _MAY_END.get(accepted.kind)):
            data = events[-1]["data"]
            self.figures.blame("turns that ended otherwise than they should", f"{accepted} {data}")
        said = [event for event in events if event["type"] == "output.message.completed"]
        text = _text_of(said[-1]) if said else None
        if kind == "turn.completed" and text != accepted.text:
            self.figures.blame("messages with another answer", f"{accepted}: {text!r}")

    # --- subscribers ---------------------------------------------------------------------

    def _check_recording(self, recording: Recording, log: list[Json]) -> None:
        counts, who = self.figures.counts, f"subscriber of {recording.session_id}"
        counts["subscribers"] += 1
        counts["connections of subscribers"] += recording.connections
        counts["events delivered"] += len(recording.events)
        numbers = [sequence for sequence, _, _ in recording.events]
        times = Counter(numbers)
        missing = [event["sequence"] for event in log if event["sequence"] not in times]
        if missing:
            self.figures.blame("events that a subscriber lost", f"{who}: {missing}", len(missing))
        repeated = [number for number, often in times.items() if often > 1]
        if repeated:
            self.figures.blame("events that came twice", f"{who}: {repeated}", len(repeated))
        if any(one > other for one, other in pairwise(numbers)):
            self.figures.blame("events out of order", f"{who}: {numbers}")
        known = {(event["sequence"], event["id"], event["type"]) for event in log}
        strange = [event for event in recording.events if event not in known]
        if strange:
            self.figures.blame("events that are not in the log", f"{who}: {strange}")
        self._check_texts(recording, log)

    def _check_texts(self, recording: Recording, log: list[Json]) -> None:
        final = {
            event["data"]["message"]["id"]: _text_of(event)
            for event in log
            if event["type"] == "output.message.completed"
        }
        for message_id, pieces in recording.texts.items():
            if message_id not in final:
                self.figures.counts["texts given up with their worker"] += 1
                continue
            self.figures.counts["texts followed"] += 1
            if "".join(pieces) != final[message_id]:
                what = f"{recording.session_id} {message_id}: {pieces} of {final[message_id]!r}"
                self.figures.blame("texts that are not the answer's", what)

    # --- tools ---------------------------------------------------------------------------

    def _check_calls(self, session: _Session, log: list[Json]) -> None:
        called = [call for event in log for call in _calls_of(event)]
        results = [event["data"] for event in log if event["type"] == "tool.completed"]
        if Counter(called) != Counter(result["tool_call_id"] for result in results):
            told = [result["tool_call_id"] for result in results]
            what = f"{session.id}: called {called}, results {told}"
            self.figures.blame("calls with other than one result", what)
        prefix = session.uuid.hex
        by_key = {f"{prefix}:{result['tool_call_id']}": result for result in results}
        self._check_effects(by_key, session.effects)

    def _check_effects(self, results: Mapping[str, Json], effects: Effects) -> None:
        counts, done = self.figures.counts, {key for _, key in effects}
        for key, result in results.items():
            if not result["tool_name"].startswith("act_"):
                continue
            counts["effects wanted"] += 1
            if result["success"] and key not in done:
                self.figures.blame("effects that are told and were not had", f"{key} {result}")
            if not result["success"] and key in done:
                counts["effects had and told as unknown"] += 1
        for (side_effect, key), times in effects.items():
            counts["effects had"] += 1
            if key not in results:
                self.figures.blame("effects of calls without a result", key)
            if times == 1:
                continue
            if side_effect in _MAY_REPEAT:
                counts["effects repeated that may be"] += 1
            else:
                self.figures.blame("effects repeated that must not be", f"{side_effect} {key}")


def recoveries(held: Sequence[Held], log: list[Json]) -> Iterator[Recovery]:
    """How each held turn moved on, elsewhere or there.

    It counts from the last hit before its next event: a lease that runs out twice is two
    recoveries, of which the first led to a worker that was hit in its turn.
    """
    by_next_event: dict[int, list[Held]] = {}
    for hit in sorted(held, key=lambda each: each.at):
        for event in log[hit.sequence :]:
            if event["type"] != "input.message":
                by_next_event.setdefault(event["sequence"], []).append(hit)
                break
    for sequence, hits in by_next_event.items():
        moved_on = _seconds(log[sequence - 1]["ts"])
        yield Recovery(
            session_id=hits[0].session_id,
            seconds=max(0.0, moved_on - hits[-1].at),
            from_first=max(0.0, moved_on - hits[0].at),
            hits=tuple(hit.act for hit in hits),
        )


def _calls_of(event: Json) -> list[str]:
    if event["type"] != "output.message.completed":
        return []
    parts = event["data"]["message"]["content"]
    return [part["id"] for part in parts if part["type"] == "tool_call"]


def _text_of(event: Json) -> str:
    parts = event["data"]["message"]["content"]
    return "".join(part.get("text", "") for part in parts)


def _words(kind: str) -> str:
    return {
        "turn.completed": "answered",
        "turn.failed": "answered with a failure",
        "turn.cancelled": "cancelled",
        "turn.sealed": "given up, visibly",
    }[kind]


def _uuid(shown: str) -> UUID:
    return UUID(shown.rpartition("_")[2])


def _seconds(ts: str) -> float:
    return datetime.fromisoformat(ts).timestamp()
