"""The turn's side of the log: fenced appends, waited out outages, and what is read back.

Database trouble is never a turn failure (design 5): it is waited out with back-off, for
as long as the lease is not somebody else's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType
from common.domain.turn import TurnStatus
from common.event_codec import LoggedEvent
from common.storage import log, transcript, turns
from common.storage.engine import Database, DatabaseError, Tx, is_passing_outage, sqlstate
from common.storage.transcript import Newest
from worker.lease import Lease

T = TypeVar("T")
_log = structlog.get_logger()
# Of what is new since the last step so many messages are read at once, of older ones so many.
_NEW_SLICE = 50
_LARGEST_SLICE = 500
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class OutcomeUnknown(Exception):
    """The connection broke in a transaction: only the log knows whether it was committed."""


@dataclass(frozen=True, slots=True)
class TurnEnding:
    """What ends with an append, in its transaction.

    Attributes:
        status: the turn's final status.
        next_turn: id of the turn that unread messages get; None when there are none.
        read_through: messages after this sequence are unread.
    """

    status: TurnStatus
    next_turn: UUID | None
    read_through: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """The turn waits for somebody outside from an append on, at most this many seconds.

    The append's last event is what it waits for.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Window:
    """The newest part of a session's messages.

    Attributes:
        events: oldest first.
        compaction: what stands for the messages before it, if anything.
        is_whole: whether these are all messages of the session.
    """

    events: list[LoggedEvent]
    compaction: LoggedEvent | None
    is_whole: bool


class SessionLog:
    """Reads and appends for one held turn."""

    def __init__(self, database: Database, lease: Lease, *, newest: Newest | None = None) -> None:
        """`newest` are the messages that the turn begins with, where they are known."""
        self._database = database
        self.lease = lease
        self._newest = newest
        # Earlier losses count until the turn has got further.
        self._owes_progress = lease.claim.reclaims > 0

    @property
    def _session(self) -> UUID:
        return self.lease.claim.session_id

    def append(
        self,
        drafts: Sequence[EventDraft],
        *,
        change: log.HeadChange,
        last_input: int | None = None,
        ending: TurnEnding | Suspension | None = None,
    ) -> tuple[log.Head, list[LoggedEvent]]:
        """Append under the fence; with `last_input`, only if no newer message has come.

        Raises:
            LeaseLost: the session is no longer this worker's.
            common.storage.log.NewInput: a message came; nothing was written.
            OutcomeUnknown: fold the log again before going on.
        """
        claim = self.lease.claim
        fence = log.Fence(claim.epoch, last_input)
        try:
            with self._database.transaction() as tx:
                head, events = log.append(
                    tx, self._session, drafts, fence=fence, change=change, beside=self._end(ending)
                )
                if isinstance(ending, Suspension):
                    turns.suspend(
                        tx,
                        claim.turn_id,
                        sequence=head.last_sequence,
                        until=head.last_ts + timedelta(seconds=ending.seconds),
                    )
                elif ending is not None:
                    self._open_next(tx, ending)
                elif self._owes_progress and _is_progress(drafts):
                    turns.record_progress(tx, claim.turn_id, epoch=claim.epoch)
        except DatabaseError as failure:
            self._wait_out(failure)
            raise OutcomeUnknown from failure
        self._owes_progress = self._owes_progress and not _is_progress(drafts)
        return head, events

    def _end(self, ending: TurnEnding | Suspension | None) -> log.End | None:
        if not isinstance(ending, TurnEnding):
            return None
        return log.End(self.lease.claim.turn_id, ending.status)

    def _open_next(self, tx: Tx, ending: TurnEnding) -> None:
        if ending.next_turn is None:
            return
        unread = log.read_after(
            tx, self._session, ending.read_through, types=[EventType.INPUT_MESSAGE], limit=1
        )
        turns.open_turn(
            tx,
            ending.next_turn,
            session_id=self._session,
            organization_id=self.lease.claim.organization_id,
            input_sequence=unread[0].sequence,
        )

    def turn_events(self, *, after: int | None = None) -> list[LoggedEvent]:
        """Everything from the turn's first message on, or after this sequence.

        Waits for an append of ours whose connection broke in its commit.

        Raises:
            LeaseLost: the session is no longer this worker's.
        """
        claim = self.lease.claim

        def read() -> list[LoggedEvent]:
            with self._database.transaction() as tx:
                head = log.hold(tx, self._session)
                if head is None or head.epoch != claim.epoch:
                    raise LeaseLost
                start = claim.input_sequence - 1 if after is None else after
                below = head.last_sequence + 1
                return list(log.read_all(tx, self._session, start, below=below))

        return self.patiently(read)

    def messages(self, after: int, *, below: int) -> Iterator[list[LoggedEvent]]:
        """Message events with `after < sequence < below`, a slice at a time.

        A message may hold megabytes of which a conversation keeps a line.
        """
        has_more = True
        while has_more:

            def read(start: int = after) -> list[LoggedEvent]:
                with self._database.reading() as tx:
                    return log.read_for_model(
                        tx, self._session, start, below=below, limit=_NEW_SLICE
                    )

            found = self.patiently(read)
            yield found
            has_more = len(found) == _NEW_SLICE
            after = found[-1].sequence if found else after

    def window(self, *, below: int, weigh: Callable[[LoggedEvent], int], enough: int) -> Window:
        """The newest messages below a sequence, until they weigh enough.

        Reads no further back than the newest compaction, which stands for the rest.
        """
        found: list[LoggedEvent] = []
        weight, limit = 0, transcript.SLICE
        newest, self._newest = self._newest, None
        while True:

            def read(end: int = below, limit: int = limit) -> Newest:
                with self._database.reading() as tx:
                    return transcript.newest(tx, self._session, below=end, limit=limit)

            slice_, newest = newest or self.patiently(read), None
            compaction = slice_.compaction
            start = 0 if compaction is None else int(compaction.data["through_sequence"])
            newer = [event for event in slice_.messages if event.sequence > start]
            found += newer
            has_all = not slice_.has_more or len(newer) < len(slice_.messages)
            if has_all:
                break
            weight += sum(weigh(event) for event in newer)
            if weight >= enough:
                break
            below = found[-1].sequence
            wanted = len(found) * (enough - weight) / max(weight, 1)
            limit = max(transcript.SLICE, min(int(wanted), _LARGEST_SLICE))
        return Window(found[::-1], compaction, is_whole=has_all and compaction is None)

    def newest_controls(self) -> dict[str, Any]:
        """What the newest user message, read or not, asks of the generation."""

        def read() -> dict[str, Any]:
            with self._database.reading() as tx:
                return turns.newest_controls(tx, self._session)

        return self.patiently(read)

    def completed_steps(self, *, below: int) -> int:
        """How many reason steps of the session are over."""

        def read() -> int:
            with self._database.reading() as tx:
                return log.count(tx, self._session, EventType.REASON_COMPLETED, below=below)

        return self.patiently(read)

    def patiently(self, action: Callable[[], T]) -> T:
        """Repeat a read until the database answers.

        Raises:
            LeaseLost: the lease was lost meanwhile.
        """
        while True:
            try:
                return action()
            except DatabaseError as failure:
                self._wait_out(failure)

    def _wait_out(self, failure: DatabaseError) -> None:
        """Wait until the database answers again; what will not pass is raised on."""
        if not is_passing_outage(failure):
            raise failure
        _log.warning(
            "database_unavailable", error=type(failure).__name__, sqlstate=sqlstate(failure)
        )
        pause = _FIRST_PAUSE_SECONDS
        while True:
            self.lease.stop.wait(pause)
            if self.lease.is_lost:
                raise LeaseLost
            try:
                self._database.ping()
            except DatabaseError:
                # Without `stop` the wait above is the pause; with it, do not spin.
                if self.lease.stop.is_set():
                    time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                return


def _is_progress(drafts: Sequence[EventDraft]) -> bool:
    return any(
        draft.type
        in (EventType.OUTPUT_COMPLETED, EventType.TOOL_COMPLETED, EventType.REASON_COMPLETED)
        for draft in drafts
    )
