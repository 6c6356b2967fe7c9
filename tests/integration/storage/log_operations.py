"""What writers of a session do, once to the database and once to the model.

Each operation is one that the system makes, with the locks that it makes it with.  `allows`
does to the model what the operation came to, if it could have come to that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.turn import SessionStatus, ToolCall, TurnStatus
from common.domain.waiting import Waiting, late, overtaken, succeeded
from common.storage import log, turns, waiting
from common.storage.engine import Database, Tx
from common.storage.log import Fence, HeadChange, NewInput
from tests.integration.storage.conftest import some_events, user_message
from tests.integration.storage.log_model import LOST, NEWER, Session

_IDLE = HeadChange(status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None)


@dataclass(frozen=True)
class Writer:
    """A worker that claimed a turn; whether it still has it, it does not know."""

    turn_id: UUID
    epoch: int


@dataclass(frozen=True)
class Operation(ABC):
    """One transaction on one session."""

    session_id: UUID

    @abstractmethod
    def do(self, database: Database) -> Any:
        """Do it; returns what it came to."""

    @abstractmethod
    def allows(self, model: Session, outcome: Any, *, in_a_race: bool) -> bool:
        """Whether it could come to that in this state; if so the model is as after it."""


@dataclass(frozen=True)
class Read(Operation):
    """Somebody reads the log while others write it."""

    def do(self, database: Database) -> Any:
        with database.reading() as tx:
            events = list(log.read_all(tx, self.session_id, 0))
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        return [event.type for event in events]

    def allows(self, model: Session, outcome: Any, **_: bool) -> bool:
        return bool(outcome == model.log)


@dataclass(frozen=True)
class Post(Operation):
    """A user's message, as `api.use_cases.submit_message` stores it."""

    turn_id: UUID

    def do(self, database: Database) -> Any:
        with database.transaction() as tx:
            stored = log.append_input(
                tx, DEFAULT_ORGANIZATION, self.session_id, user_message(), turn_id=self.turn_id
            )
            assert stored is not None
            head, event = stored
            opens = head.open_turn_id == self.turn_id
            if head.status is SessionStatus.WAITING:
                waits = waiting.of_session(tx, DEFAULT_ORGANIZATION, self.session_id)
                assert waits is not None
                drafts = [overtaken(call, waits.context) for call in waits.pending]
                waiting.answer(tx, head, waits, drafts, is_complete=True)
        return event.sequence, opens

    def allows(self, model: Session, outcome: Any, **_: bool) -> bool:
        return bool(model.post(self.turn_id) == outcome)


@dataclass(frozen=True)
class ClaimTurn(Operation):
    """A worker follows a wake-up, which may be late or doubled."""

    turn_id: UUID

    def do(self, database: Database) -> Any:
        with database.transaction() as tx:
            claim = turns.claim(tx, self.turn_id, owner="test", lease_seconds=60)
        if claim is None:
            return None
        return claim.epoch, claim.attempt, claim.reclaims, claim.input_sequence

    def allows(self, model: Session, outcome: Any, **_: bool) -> bool:
        return bool(model.claim(self.turn_id) == outcome)


@dataclass(frozen=True)
class _OfWriter(Operation):
    """What a worker does under its fence.

    Attributes:
        seen: it goes on only if no message came after this; None to go on in any case.
    """

    writer: Writer
    seen: int | None

    def do(self, database: Database) -> Any:
        try:
            with database.transaction() as tx:
                return self._write(tx, Fence(self.writer.epoch, self.seen))
        except LeaseLost:
            return LOST
        except NewInput:
            return NEWER

    def allows(self, model: Session, outcome: Any, **_: bool) -> bool:
        refusal = model.refusal(self.writer.epoch, self.seen)
        return bool((self._on(model) if refusal is None else refusal) == outcome)

    def _write(self, tx: Tx, fence: Fence) -> Any:
        raise NotImplementedError

    def _on(self, model: Session) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Append(_OfWriter):
    """Events of a turn under way; some of them are progress."""

    count: int
    is_progress: bool

    def _write(self, tx: Tx, fence: Fence) -> Any:
        head, _ = log.append(tx, self.session_id, some_events(self.count), fence=fence)
        if self.is_progress:
            turns.record_progress(tx, self.writer.turn_id, epoch=self.writer.epoch)
        return head.last_sequence

    def _on(self, model: Session) -> Any:
        turn = model.turns[self.writer.turn_id]
        if self.is_progress and turn.epoch == self.writer.epoch:
            turn.reclaims = 0
        return model.append(*["reason.started"] * self.count)


@dataclass(frozen=True)
class End(_OfWriter):
    """The turn's end; what was not read of the messages gets a turn of its own."""

    seen: int
    read_through: int
    next_turn: UUID

    @property
    def _has_next(self) -> bool:
        return self.seen > self.read_through

    def _write(self, tx: Tx, fence: Fence) -> Any:
        change = HeadChange(sets_open_turn=True, open_turn=self.next_turn)
        drafts = [EventDraft(EventType.TURN_COMPLETED, {})]
        if not self._has_next:
            change = _IDLE
            drafts.append(EventDraft(EventType.SESSION_IDLED, {}))
        end = log.End(self.writer.turn_id, TurnStatus.COMPLETED)
        log.append(tx, self.session_id, drafts, fence=fence, change=change, beside=end)
        if self._has_next:
            unread = log.read_after(
                tx, self.session_id, self.read_through, types=[EventType.INPUT_MESSAGE], limit=1
            )
            turns.open_turn(
                tx,
                self.next_turn,
                session_id=self.session_id,
                organization_id=DEFAULT_ORGANIZATION,
                input_sequence=unread[0].sequence,
            )
        return "ended"

    def _on(self, model: Session) -> Any:
        model.end(self.writer.turn_id, "completed")
        model.append("turn.completed")
        if self._has_next:
            model.open_turn = self.next_turn
            first = model.first_input_after(self.read_through)
            model.turns[self.next_turn] = type(model.turns[self.writer.turn_id])(first)
        else:
            model.append("session.idled")
            model.status, model.open_turn = "idle", None
        return "ended"


@dataclass(frozen=True)
class Suspend(_OfWriter):
    """The turn asks for results of client-side calls."""

    count: int

    def _write(self, tx: Tx, fence: Fence) -> Any:
        calls = [ToolCall(f"call_{number}", "look_up", {}) for number in range(self.count)]
        data = {"tool_calls": [call.to_json() for call in calls], "deadline_seconds": 300}
        head, _ = log.append(
            tx,
            self.session_id,
            [EventDraft(EventType.TOOL_CALL_REQUESTED, data)],
            fence=fence,
            change=HeadChange(status=SessionStatus.WAITING),
        )
        until = head.last_ts.replace(year=head.last_ts.year + 1, day=1)
        turns.suspend(tx, self.writer.turn_id, sequence=head.last_sequence, until=until)
        return "waits"

    def _on(self, model: Session) -> Any:
        turn = model.turns[self.writer.turn_id]
        model.append("tool.call_requested")
        model.status = "waitingfortoolresults"
        turn.status, turn.reclaims = "waiting", 0
        turn.pending = [f"call_{number}" for number in range(self.count)]
        return "waits"


@dataclass(frozen=True)
class HandOver(_OfWriter):
    """The worker leaves."""

    seen: None = None

    def _write(self, tx: Tx, fence: Fence) -> Any:
        change = HeadChange(raises_epoch=True)
        head, _ = log.append(tx, self.session_id, [], fence=fence, change=change)
        turns.hand_over(tx, self.writer.turn_id, epoch=head.epoch)
        return "handed over"

    def _on(self, model: Session) -> Any:
        model.hand_over(self.writer.turn_id)
        return "handed over"


@dataclass(frozen=True)
class Answer(Operation):
    """The client gives results of some of the calls that are waited for."""

    count: int

    def do(self, database: Database) -> Any:
        with database.transaction() as tx:
            head = log.lock(tx, DEFAULT_ORGANIZATION, self.session_id)
            assert head is not None
            waits = waiting.of_session(tx, DEFAULT_ORGANIZATION, self.session_id)
            if waits is None:
                return None
            given = waits.pending[: self.count]
            drafts = [succeeded(call, waits.context, "x") for call in given]
            is_complete = len(given) == len(waits.pending)
            waiting.answer(tx, head, waits, drafts, is_complete=is_complete)
        return len(given), is_complete

    def allows(self, model: Session, outcome: Any, **_: bool) -> bool:
        return bool(model.answer(self.count) == outcome)


@dataclass(frozen=True)
class AnswerOverdue(Operation):
    """The deadline comes, and a sweeper looks; what is locked it leaves alone."""

    def do(self, database: Database) -> Any:
        _let_pass(database, self.session_id, "waiting_until", "waiting")
        with database.transaction() as tx:
            answered = waiting.answer_overdue(tx, _late)
        return None if answered is None else (len(answered[1]), True)

    def allows(self, model: Session, outcome: Any, *, in_a_race: bool) -> bool:
        if outcome is None and in_a_race:
            return True
        count = 0 if model.waiting is None else len(model.waiting.pending)
        return bool(model.answer(count) == outcome)


def _let_pass(database: Database, session_id: UUID, column: str, status: str) -> None:
    """The moment in a column comes, for turns of this status."""
    statement = (
        f"UPDATE turns SET {column} = clock_timestamp() - interval '1 s'"  # noqa: S608 - ours
        " WHERE session_id = :s AND status = :status"
    )
    with database.transaction() as tx:
        tx.execute(text(statement), {"s": session_id, "status": status})


def _late(waits: Waiting) -> list[EventDraft]:
    return [late(call, waits.context) for call in waits.pending]


@dataclass(frozen=True)
class TakeBack(Operation):
    """The lease runs out, and a sweeper looks; what is locked it leaves alone."""

    def do(self, database: Database) -> Any:
        _let_pass(database, self.session_id, "lease_until", "running")
        with database.transaction() as tx:
            return bool(turns.requeue_expired(tx, limit=10))

    def allows(self, model: Session, outcome: Any, *, in_a_race: bool) -> bool:
        if not outcome and in_a_race:
            return True
        return bool(model.take_back() == outcome)


@dataclass(frozen=True)
class SendAgain(Operation):
    """A sweeper looks for turns whose wake-up seems lost."""

    def do(self, database: Database) -> Any:
        _let_pass(database, self.session_id, "available_at", "queued")
        with database.transaction() as tx:
            return [due.turn_id for due in turns.take_due(tx, limit=10)]

    def allows(self, model: Session, outcome: Any, *, in_a_race: bool) -> bool:
        queued = [turn_id for turn_id, turn in model.turns.items() if turn.status == "queued"]
        return bool(outcome == queued or (in_a_race and not outcome))


@dataclass(frozen=True)
class Renew(Operation):
    """A worker renews a lease; while others have the row it learns nothing."""

    writer: Writer

    def do(self, database: Database) -> Any:
        with database.transaction() as tx:
            renewed, lost = turns.renew(
                tx, {self.writer.turn_id: self.writer.epoch}, lease_seconds=60
            )
        return bool(renewed), bool(lost)

    def allows(self, model: Session, outcome: Any, *, in_a_race: bool) -> bool:
        turn = model.turns[self.writer.turn_id]
        is_held = turn.status == "running" and turn.epoch == self.writer.epoch
        is_told = outcome == (is_held, not is_held)
        return bool(is_told or (in_a_race and outcome == (False, False)))


def writer_of(operation: Operation) -> Writer | None:
    """The worker that does it, if it is one with a turn."""
    return operation.writer if isinstance(operation, _OfWriter | Renew) else None


@dataclass(frozen=True)
class Cancel(Operation):
    """As `api.use_cases.cancel_turn` does it."""

    def do(self, database: Database) -> Any:
        with database.transaction() as tx:
            head = log.lock(tx, DEFAULT_ORGANIZATION, self.session_id)
            assert head is not None
            if head.open_turn_id is None:
                return False
            drafts = [
                EventDraft(EventType.TURN_CANCELLED, {}),
                EventDraft(EventType.SESSION_IDLED, {}),
            ]
            change = HeadChange(
                status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None, raises_epoch=True
            )
            log.append(tx, self.session_id, drafts, fence=Fence(head.epoch), change=change)
            turns.end(tx, head.open_turn_id, TurnStatus.CANCELLED)
        return True

    def allows(self, model: Session, outcome: Any, **_: bool) -> bool:
        turn_id = model.open_turn
        if turn_id is not None:
            model.end(turn_id, "cancelled")
            model.append("turn.cancelled", "session.idled")
            model.epoch += 1
            model.status, model.open_turn = "idle", None
        return bool((turn_id is not None) == outcome)
