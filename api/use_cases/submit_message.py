"""Store a user's message and see that a turn will read it: the hot path (I1).

One transaction holds the message's event and an open turn; only after its commit are
a worker and subscribers told, and whether that works changes nothing for the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.schemas.messages import NewMessage
from api.schemas.parts import UNKNOWN_IMAGE
from common import tracing
from common.domain.errors import DomainError, FieldProblem, NotFound, Unprocessable
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, parse_id, show_id
from common.domain.trace import HEADER
from common.domain.turn import SessionStatus
from common.domain.turn_task import TaskLabel
from common.domain.waiting import overtaken
from common.event_codec import LoggedEvent
from common.storage import idempotency, images, log, messages, queue_load, waiting
from common.storage.engine import DatabaseError, Tx, is_passing_outage
from common.storage.idempotency import IdempotencyKey
from common.storage.log import Head

CREATED: Final = 201


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored message.

    Attributes:
        overtaken: results of calls that were waited for and that it came before.
        wakes: the turn that it opened, or that waited and goes on, if there is one.
        opens: whether it opened a turn.
    """

    event: LoggedEvent
    overtaken: tuple[LoggedEvent, ...] = ()
    wakes: UUID | None = None
    opens: bool = False
    is_replay: bool = False


class _NotWritten(Exception):
    """The database failed, and it is certain that nothing was stored: it may be tried again."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self.fault = fault


def submit_message(
    deps: Deps,
    caller: Caller,
    session_id: UUID,
    message: NewMessage,
    key: IdempotencyKey | None,
) -> LoggedEvent:
    """Accept a message; returns its `input.message` event.

    Raises:
        NotFound: there is no such session.
        Unprocessable: a part names an image that there is not.
        IdempotencyKeyReused: the key came with another message.
        TooManyTurns, Overloaded: it would open a turn, and none can be taken on now.
    """
    refusal = _refusal(deps, caller, session_id, has_key=key is not None)
    ids = deps.new_id(), deps.new_id()
    submit = partial(_submit, deps, caller, session_id, message, key, ids=ids, refusal=refusal)
    try:
        stored = submit()
    except _NotWritten:
        # After a restart of the database each old connection fails once.
        try:
            stored = submit()
        except _NotWritten as again:
            raise again.fault from again
    # The worker first: it takes longer until anybody hears of what it does.
    if stored.wakes is not None:
        attempt = 1 if stored.opens else None
        label = TaskLabel(session_id, caller.organization_id, attempt)
        deps.queue.send(stored.wakes, label=label)
    if not stored.is_replay:
        deps.live.publish(session_id, [stored.event, *stored.overtaken])
    if stored.opens and deps.pressure is not None:
        deps.pressure.opened(caller.organization_id)
    return stored.event


def _refusal(deps: Deps, caller: Caller, session_id: UUID, *, has_key: bool) -> DomainError | None:
    """Why a message that opens a turn is to be refused; None: it is not.

    Raises:
        TooManyTurns, Overloaded: it would, and has no key by which it may have been taken
            before: that is said without a transaction.
    """
    refusal = None if deps.pressure is None else deps.pressure.refusal(caller.organization_id)
    if refusal is not None and not has_key:
        with deps.database.reading() as tx:
            if queue_load.would_open(tx, caller.organization_id, session_id):
                raise refusal
    return refusal


def _submit(
    deps: Deps,
    caller: Caller,
    session_id: UUID,
    message: NewMessage,
    key: IdempotencyKey | None,
    *,
    ids: tuple[UUID, UUID],
    refusal: DomainError | None,
) -> _Stored:
    written: list[_Stored] = []
    try:
        with deps.database.transaction() as tx:
            stored = _store(tx, caller, session_id, message, key, ids=ids)
            if refusal is not None and stored.opens:
                raise refusal
            written.append(stored)
    except DatabaseError as fault:
        if not is_passing_outage(fault):
            raise
        # The commit may have happened all the same; then the message is there, under its id.
        if not written or not _is_there(deps, caller, written[0].event, ids[0]):
            raise _NotWritten(fault) from fault
    return written[0]


def _store(
    tx: Tx,
    caller: Caller,
    session_id: UUID,
    message: NewMessage,
    key: IdempotencyKey | None,
    *,
    ids: tuple[UUID, UUID],
) -> _Stored:
    message_id, turn_id = ids
    if key is not None:
        first = idempotency.first_answer(tx, key, resource_id="", status_code=CREATED)
        if first is not None:
            return _Stored(_first_message(tx, caller, session_id, first), is_replay=True)
    _refuse_unknown_images(tx, caller, message)
    appended = log.append_input(
        tx, caller.organization_id, session_id, _draft(message_id, message), turn_id=turn_id
    )
    if appended is None:
        raise NotFound("Session not found")
    head, event = appended
    opens = head.open_turn_id == turn_id
    if key is not None:
        resource = f"{show_id(Kind.MESSAGE, message_id)}@{event.sequence}"
        idempotency.settle(tx, key, resource_id=resource, status_code=CREATED)
    if head.status is SessionStatus.WAITING:
        return _overtake(tx, caller, head, event)
    return _Stored(event, wakes=turn_id if opens else None, opens=opens)


def _overtake(tx: Tx, caller: Caller, head: Head, event: LoggedEvent) -> _Stored:
    """The turn waits no longer for what the message came before: it reads the message."""
    waits = waiting.of_session(tx, caller.organization_id, head.session_id)
    if waits is None:
        raise AssertionError("a session that waits has a turn that does")
    drafts = [overtaken(call, waits.context) for call in waits.pending]
    _, results = waiting.answer(tx, head, waits, drafts, is_complete=True)
    return _Stored(event, overtaken=tuple(results), wakes=waits.turn_id)


def _draft(message_id: UUID, message: NewMessage) -> EventDraft:
    stored = {
        "id": show_id(Kind.MESSAGE, message_id),
        "role": "user",
        "content": message.content,
        **message.extras,
    }
    place = tracing.current()
    # With the row, since a wake-up may be lost and sent again by somebody else.
    private = None if place is None else {HEADER: place.header}
    return EventDraft(EventType.INPUT_MESSAGE, {"message": stored}, private=private)


def _first_message(
    tx: Tx, caller: Caller, session_id: UUID, first: idempotency.FirstAnswer
) -> LoggedEvent:
    shown, _, sequence = first.resource_id.partition("@")
    found = None
    if messages.count(tx, caller.organization_id, session_id) is not None:
        found = messages.find(tx, session_id, sequence=int(sequence), message_id=UUID(shown))
    if found is None:
        raise NotFound("Session not found")
    return found


def _is_there(deps: Deps, caller: Caller, event: LoggedEvent, message_id: UUID) -> bool:
    """Whether a message whose commit was lost sight of is in the log after all."""
    found = messages.find_stored(
        deps.database,
        caller.organization_id,
        event.session_id,
        sequence=event.sequence,
        message_id=message_id,
    )
    return found is not None


def _refuse_unknown_images(tx: Tx, caller: Caller, message: NewMessage) -> None:
    named = {
        position: parse_id(Kind.IMAGE, part["image_id"])
        for position, part in enumerate(message.content)
        if part["type"] == "image_file"
    }
    if not named:
        return
    unknown = images.unknown(tx, caller.organization_id, named.values())
    problems = tuple(
        FieldProblem(f"message.content[{position}].image_id", UNKNOWN_IMAGE)
        for position, image_id in named.items()
        if image_id in unknown
    )
    if problems:
        raise Unprocessable(f"{problems[0].field}: {problems[0].message}", problems=problems)
