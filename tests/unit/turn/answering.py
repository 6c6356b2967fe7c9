"""A session as those see it who answer a waiting turn, and a log that is fenced by its epoch.

What the api and the sweeper do in one transaction each is done here in one step each.
"""

from collections.abc import Callable, Sequence

from common.domain import waiting
from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, show_id
from common.domain.message import agent_message, calls_of
from common.domain.turn import ToolCall
from common.domain.waiting import Decision, Waiting, WaitKind
from common.event_codec import LoggedEvent
from common.storage.log import Head, HeadChange, dated
from common.storage.waiting import read_waiting
from tests.unit.turn.stage import TURN, Memory, MemorySessionLog
from worker.lease import Lease
from worker.turn.session_log import Suspension, TurnEnding

_CONTEXT = {"turn_id": show_id(Kind.TURN, TURN)}


def calls_in(memory: Memory) -> list[ToolCall]:
    return [
        call
        for event in memory.of_type(EventType.OUTPUT_COMPLETED)
        for call in calls_of(event.data["message"])
    ]


class Refused(Exception):
    """As the api answers it: nothing was stored."""


class Session(Memory):
    """The session's rows as everybody sees them, the epoch and what is waited for included."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 1
        self.asking: int | None = None
        self.is_cancelled = False
        self.answered: list[str] = []

    def store(self, drafts: Sequence[EventDraft]) -> list[LoggedEvent]:
        now = self.events[-1].ts if self.events else Memory.head(self).last_ts
        return super().store([dated(draft, now) for draft in drafts])

    def end(self, ending: TurnEnding | Suspension) -> None:
        if isinstance(ending, Suspension):
            self.asking = len(self.events)
        else:
            super().end(ending)

    @property
    def is_open(self) -> bool:
        return self.ending is None and not self.is_cancelled

    @property
    def waits(self) -> Waiting | None:
        if self.asking is None:
            return None
        return read_waiting(TURN, self.events[self.asking - 1 :])

    # --- who may answer -----------------------------------------------------------

    def _expected(self, kind: WaitKind, ids: Sequence[str]) -> tuple[Waiting, list[ToolCall]]:
        waits = self.waits
        if waits is None or waits.kind is not kind:
            raise Refused
        pending = {call.id: call for call in waits.pending}
        if not set(ids) <= set(pending):
            raise Refused
        return waits, [pending[call_id] for call_id in ids]

    def _answer(self, waits: Waiting, drafts: list[EventDraft], calls: Sequence[ToolCall]) -> None:
        self.store(drafts)
        self.answered += [call.id for call in calls]
        if len(calls) == len(waits.pending):
            self.asking = None
            self.epoch += 1

    def give(self, ids: Sequence[str]) -> None:
        waits, calls = self._expected(WaitKind.RESULTS, ids)
        self._answer(waits, [waiting.succeeded(each, waits.context, 42) for each in calls], calls)

    def decide(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        waits, calls = self._expected(WaitKind.DECISIONS, [call_id for call_id, _ in decisions])
        drafts = [
            draft
            for call, (_, said) in zip(calls, decisions, strict=True)
            for draft in waiting.decided(call, waits.context, said, reason=None, by="me")
        ]
        self._answer(waits, drafts, calls)

    def say(self) -> None:
        waits = self.waits
        self.user_says()
        if waits is not None:
            drafts = [waiting.overtaken(call, waits.context) for call in waits.pending]
            self._answer(waits, drafts, waits.pending)

    def deadline(self, *, is_allowed: bool) -> None:
        waits = self.waits
        if waits is None:
            return
        drafts = []
        for call in waits.pending:
            if waits.kind is WaitKind.RESULTS:
                drafts.append(waiting.late(call, waits.context))
            else:
                drafts += waiting.decided_by_deadline(call, waits.context, is_allowed=is_allowed)
        self._answer(waits, drafts, waits.pending)

    def cancel(self) -> None:
        if not self.is_open:
            return
        done = {event.data["tool_call_id"] for event in self.of_type(EventType.TOOL_COMPLETED)}
        drafts = [
            waiting.cancelled(call, _CONTEXT) for call in calls_in(self) if call.id not in done
        ]
        notice = {"message": agent_message(TURN, "Cancelled"), "metadata": None}
        drafts += [
            EventDraft(EventType.TURN_CANCELLED, {}, _CONTEXT),
            EventDraft(EventType.OUTPUT_COMPLETED, notice, _CONTEXT),
            EventDraft(EventType.SESSION_IDLED, {}, _CONTEXT),
        ]
        self.store(drafts)
        self.is_cancelled, self.asking = True, None
        self.epoch += 1


class FencedLog(MemorySessionLog):
    """Its worker writes and folds only while nobody else took the session."""

    def __init__(self, memory: Memory, lease: Lease, fate: Callable[[Memory], str]) -> None:
        super().__init__(memory, lease, fate)
        assert isinstance(memory, Session)
        self._session = memory
        self._epoch = memory.epoch
        self.meanwhile: Callable[[], None] = lambda: None

    def append(
        self,
        drafts: Sequence[EventDraft],
        *,
        change: HeadChange,
        last_input: int | None = None,
        ending: TurnEnding | Suspension | None = None,
    ) -> tuple[Head, list[LoggedEvent]]:
        self.meanwhile()
        self._check()
        return super().append(
            drafts,
            change=change,
            last_input=last_input,
            ending=ending,  # type: ignore[arg-type]  # the session takes either
        )

    def turn_events(self, *, after: int | None = None) -> list[LoggedEvent]:
        self.meanwhile()
        self._check()
        return super().turn_events(after=after)

    def _check(self) -> None:
        if self._session.epoch != self._epoch:
            raise LeaseLost
