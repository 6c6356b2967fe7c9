"""Run one held turn: the shell around the machine.

Loop: decide -> narrate (collect events) or perform an effect -> append what was collected,
fenced, in one transaction -> publish.  Events between two effects go in together, so a
plain text turn costs two transactions.  What was decided before the append is taken
back when the append finds that a message has arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never
from uuid import UUID

from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType
from common.domain.turn import SessionStatus, TurnStatus
from common.event_codec import LoggedEvent
from common.live import Live, TextChunk
from common.storage.log import Head, HeadChange, NewInput
from worker.lease import Lease
from worker.turn.acting import ToolCalls
from worker.turn.facts import fact_of, fold
from worker.turn.failure import (
    SEALED,
    Disclosure,
    disclosure_of,
    failure_data,
    visible_text,
)
from worker.turn.machine import apply, decide
from worker.turn.model_step import ModelStep
from worker.turn.narration import Narrator, usage_of
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.reasoning import Interrupted
from worker.turn.session_log import OutcomeUnknown, SessionLog, Suspension, TurnEnding
from worker.turn.state import (
    AskApproval,
    CallModel,
    Command,
    CompleteTurn,
    Ended,
    Ending,
    Exhausted,
    FailTurn,
    Limits,
    MessageArrived,
    Narration,
    RecoverReason,
    RequestCalls,
    RunCalls,
    SealTurn,
    StartCalls,
    StartReason,
    StartTurn,
    TurnState,
    Wait,
    WorkerLost,
)
from worker.turn.witness import NoWitness, Witness

Append = Callable[[list[EventDraft], HeadChange], tuple[Head, list[LoggedEvent]]]


class HandOver(Exception):
    """The worker is shutting down and the turn is between two steps."""


@dataclass(slots=True)
class Pending:
    """Events on their way to the log.

    Attributes:
        outcome: what effects brought; stands whatever happens meanwhile.
        decided: what was decided on top of it; decided anew when a message arrives.
        tail: text that was streamed but not sent yet; goes out before the events.
    """

    outcome: list[EventDraft] = field(default_factory=list)
    decided: list[EventDraft] = field(default_factory=list)
    ending: TurnEnding | Suspension | None = None
    tail: TextChunk | None = None

    @property
    def drafts(self) -> list[EventDraft]:
        return [*self.outcome, *self.decided]


class TurnRunner:
    """One turn on this worker, from where the log stands to its end."""

    def __init__(
        self,
        *,
        lease: Lease,
        session_log: SessionLog,
        live: Live,
        narrator: Narrator,
        model_step: ModelStep,
        tools: ToolCalls,
        new_id: Callable[[], UUID],
        duration_ms: Callable[[], int],
        should_hand_over: Callable[[], bool],
        most_disclosed: Disclosure = "detailed",
        witness: Witness | None = None,
    ) -> None:
        self._lease = lease
        self._session_log = session_log
        self._live = live
        self._narrator = narrator
        self._model_step = model_step
        self._tools = tools
        self._new_id = new_id
        self._duration_ms = duration_ms
        self._should_hand_over = should_hand_over
        self._most_disclosed = most_disclosed
        self._witness = witness or NoWitness()
        self._pending = Pending()
        self._committed = self._state = TurnState()
        self._seen_input = self._folded = 0
        self._failure_detail: str | None = None
        self._first: tuple[Head, list[LoggedEvent]] | None = None
        self.next_turn: UUID | None = None
        self.ended_as: TurnStatus | None = None

    # --- entering ----------------------------------------------------------------

    def begin(self, limits: Limits, append: Append, *, is_to_think: bool = False) -> None:
        """Start a turn of which the log holds nothing but its messages.

        `append` stores the first events in the transaction of the claim; `is_to_think`
        says whether the newest message asks for thinking.
        """
        self._narrator.is_to_think = is_to_think
        claim = self._lease.claim
        self._seen_input = claim.input_sequence
        self._committed = self._state = apply(TurnState(limits=limits), MessageArrived())
        while not isinstance(command := decide(self._state), CallModel):
            self._decided(self._narrator.narrate(beginning(command), self._state))
        self._first = append(self._pending.drafts, self._change(self._pending))

    def begun(self) -> None:
        """The claim's transaction was committed: tell subscribers of the first events."""
        if self._first is not None:
            self._appended(*self._first)
            self._first = None

    def resume(self, limits: Limits, events: list[LoggedEvent], *, exhausted: bool) -> None:
        """Go on with a turn that another worker left; `events` are all since its first message."""
        self._committed = TurnState(limits=limits)
        self._fold(events)
        self._narrator.observe(events)
        self._witness.recall(events)
        self._committed = apply(self._committed, WorkerLost())
        if exhausted:
            self._committed = apply(self._committed, Exhausted())
        self._state = self._committed

    # --- the loop ------------------------------------------------------------------

    def run(self) -> None:
        """Go on to the turn's end, or to where it waits for somebody outside.

        Raises:
            LeaseLost: somebody else has the session, or the turn is over.
            HandOver: the worker is shutting down; the log holds all that was done.
        """
        while not isinstance(self._committed.step, Ended):
            command = decide(self._state)
            if isinstance(command, CallModel | RunCalls) and not self._pending.drafts:
                self._perform(command)
            elif isinstance(command, Wait) and not self._pending.drafts:
                return
            elif command is None or isinstance(command, CallModel | RunCalls | Wait):
                self._flush()
            else:
                self._narrate(command)

    def _narrate(self, command: Narration | Ending) -> None:
        match command:
            case CompleteTurn():
                ended = [self._narrator.completed(self._state, duration_ms=self._duration_ms())]
                self._end(TurnStatus.COMPLETED, ended, queue_next=command.queue_next)
            case FailTurn():
                self._end(TurnStatus.FAILED, self._failed(command), queue_next=command.queue_next)
            case SealTurn():
                notice = self._narrator.notice(SEALED, code="sealed")
                ended = [self._narrator.sealed(self._state), notice]
                self._end(TurnStatus.SEALED, ended, queue_next=command.queue_next)
            case AskApproval():
                self._suspend(command, self._narrator.patience.decisions)
            case RequestCalls():
                self._suspend(command, self._narrator.patience.results)
            case StartCalls():
                # Before it is said that the calls are made: afterwards it is too late.
                self._lease.check()
                self._decided(self._narrator.narrate(command, self._state))
            case StartReason():
                self._foresee_thinking(has_unread=self._state.unread)
                self._decided(self._narrator.narrate(command, self._state))
            case RecoverReason():
                self._foresee_thinking(has_unread=True)
                self._narrator.lost_bytes = self._length_of_lost_answer()
                self._decided(self._narrator.narrate(command, self._state))
            case _:
                self._decided(self._narrator.narrate(command, self._state))

    def _suspend(self, command: AskApproval | RequestCalls, seconds: float) -> None:
        """Ask outside and give the turn up until the answer: both in one transaction."""
        self._pending.ending = Suspension(seconds)
        self._decided(self._narrator.narrate(command, self._state))

    def _foresee_thinking(self, *, has_unread: bool) -> None:
        self._narrator.is_to_think = self._model_step.shall_think(has_unread=has_unread)

    def _length_of_lost_answer(self) -> int:
        stream = self._narrator.stream
        if stream is None:
            return 0
        return self._live.text_length(self._lease.claim.session_id, stream.opener)

    def _failed(self, command: FailTurn) -> list[EventDraft]:
        disclosure = self._disclosure
        data = failure_data(command.code, command.failure, disclosure, detail=self._failure_detail)
        text = visible_text(command.code, command.failure, disclosure)
        return [self._narrator.failed(data), self._narrator.notice(text, code=command.code)]

    @property
    def _disclosure(self) -> Disclosure:
        wish = self._model_step.controls.get("error_disclosure")
        return disclosure_of(wish, self._most_disclosed)

    def _end(self, status: TurnStatus, drafts: list[EventDraft], *, queue_next: bool) -> None:
        next_turn = self._new_id() if queue_next else None
        if next_turn is None:
            drafts = [*drafts, self._narrator.idled(self._state)]
        self._pending.ending = TurnEnding(status, next_turn, self._narrator.read_through)
        self._decided(drafts)

    def _decided(self, drafts: list[EventDraft]) -> None:
        self._pending.decided += drafts
        self._take_in(drafts)

    def _happened(self, drafts: list[EventDraft]) -> None:
        self._pending.outcome += drafts
        self._take_in(drafts)

    def _take_in(self, drafts: list[EventDraft]) -> None:
        for draft in drafts:
            fact = fact_of(draft.type, draft.context, draft.data)
            if fact is not None:
                self._state = apply(self._state, fact)

    # --- effects -------------------------------------------------------------------

    def _perform(self, effect: CallModel | RunCalls) -> None:
        if self._should_hand_over():
            raise HandOver
        try:
            match effect:
                case CallModel():
                    self._call_model()
                case RunCalls(calls, repeated):
                    self._tools.ensure_running(calls, repeated)
                    for finished in self._tools.wait():
                        self._happened([self._narrator.call_ended(finished.call, finished.result)])
                case never:
                    assert_never(never)
        except Interrupted:
            if self._lease.is_lost:
                raise LeaseLost from None
            raise HandOver from None

    def _call_model(self) -> None:
        outcome, tail = self._model_step.call(self._narrator, self._append_in_call)
        self._pending.tail = tail
        self._narrator.shows_detail = self._disclosure == "detailed"
        match outcome:
            case ModelAnswer():
                self._happened(self._narrator.answered(outcome))
            case ModelFailure():
                self._failure_detail = outcome.detail
                self._happened(self._narrator.unanswered(outcome))
            case never:
                assert_never(never)

    def _append_in_call(self, drafts: list[EventDraft], tail: TextChunk | None) -> None:
        """Store what opens or closes a text stream while the model is still speaking."""
        self._pending.tail = tail
        self._happened(drafts)
        while self._pending.drafts:
            self._flush()

    # --- the log -------------------------------------------------------------------

    def _flush(self) -> None:
        """Append what is pending and tell subscribers; plan anew when a message arrived."""
        pending = self._pending
        if not pending.drafts:
            return
        try:
            head, events = self._session_log.append(
                pending.drafts,
                change=self._change(pending),
                last_input=None if pending.ending is None else self._seen_input,
                ending=pending.ending,
            )
        except NewInput:
            self._catch_up()
            self._plan_anew()
            return
        except OutcomeUnknown:
            self._settle_unknown_outcome()
            return
        self._appended(head, events)

    def _appended(self, head: Head, events: list[LoggedEvent]) -> None:
        pending, self._pending = self._pending, Pending()
        self._tell(events, pending)
        self._hear_of_input(head)
        self._fold(events)
        self._state = self._committed

    def _change(self, pending: Pending) -> HeadChange:
        usage = usage_of(pending.drafts)
        if isinstance(pending.ending, Suspension):
            return HeadChange(status=SessionStatus.WAITING, usage=usage)
        if pending.ending is not None:
            has_next = pending.ending.next_turn is not None
            return HeadChange(
                status=None if has_next else SessionStatus.IDLE,
                sets_open_turn=True,
                open_turn=pending.ending.next_turn,
                usage=usage,
            )
        starts = any(draft.type == "session.activated" for draft in pending.drafts)
        return HeadChange(status=SessionStatus.ACTIVE if starts else None, usage=usage)

    def _hear_of_input(self, head: Head) -> None:
        """A message below the events just appended came before them."""
        if head.last_input_sequence > self._seen_input:
            self._committed = apply(self._committed, MessageArrived())
            self._seen_input = head.last_input_sequence

    def _plan_anew(self) -> None:
        """Keep what happened, drop what was decided on top of it."""
        outcome, tail = self._pending.outcome, self._pending.tail
        self._state, self._pending = self._committed, Pending(tail=tail)
        self._narrator.take_back()
        self._happened(outcome)

    def _settle_unknown_outcome(self) -> None:
        """After a broken connection the log says whether the append went in (design 3)."""
        found = self._catch_up()
        # Others may have added to the log too: a message, a new title.
        if not any(self._narrator.has_told(event) for event in found):
            self._plan_anew()
            return
        pending, self._pending = self._pending, Pending()
        self._state = self._committed
        self._tell(found, pending)

    def _catch_up(self) -> list[LoggedEvent]:
        """Take in what the log has beyond what was folded."""
        found = self._session_log.turn_events(after=self._folded)
        self._fold(found)
        return found

    def _fold(self, events: list[LoggedEvent]) -> None:
        self._committed = fold(self._committed, events, turn_id=self._lease.claim.turn_id)
        for event in events:
            self._folded = event.sequence
            if event.type == EventType.INPUT_MESSAGE:
                self._seen_input = event.sequence

    def _tell(self, events: list[LoggedEvent], pending: Pending) -> None:
        """What follows once events are sure to be in the log: first of all, that others hear."""
        self._live.publish(self._lease.claim.session_id, events, tail=pending.tail)
        self._narrator.observe(events)
        self._witness.see(events)
        if isinstance(pending.ending, TurnEnding):
            self.next_turn, self.ended_as = pending.ending.next_turn, pending.ending.status
        elif isinstance(pending.ending, Suspension):
            self.ended_as = TurnStatus.WAITING


def beginning(command: Command | None) -> Narration:
    """What a turn that begins is to narrate."""
    if not isinstance(command, StartTurn | StartReason):
        raise TypeError("a turn begins with its start and its first reason step")
    return command
