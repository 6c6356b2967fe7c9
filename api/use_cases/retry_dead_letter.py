"""Try a dead letter again: a new turn for the message that the sealed one did not answer.

Under the head's lock, so that there is one open turn and one retry, whoever asks at once.
"""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import Conflict, NotFound
from common.domain.ids import Kind, parse_id, show_id
from common.domain.turn_task import TaskLabel
from common.event_codec import show_time
from common.storage import dead_letters, idempotency, log, turns
from common.storage.dead_letters import DeadLetter
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey
from common.storage.log import Fence, Head, HeadChange


def retry_dead_letter(
    deps: Deps, caller: Caller, entry_id: UUID, key: IdempotencyKey | None
) -> UUID:
    """Open a turn for the same message; returns the turn.

    Raises:
        NotFound: there is no such dead letter.
        Conflict: it was tried again, a turn is open, or the session went on without it.
    """
    turn_id = deps.new_id()
    with deps.database.transaction() as tx:
        if key is not None:
            resource = show_id(Kind.TURN, turn_id)
            first = idempotency.first_answer(
                tx, key, resource_id=resource, status_code=HTTPStatus.CREATED
            )
            if first is not None:
                return parse_id(Kind.TURN, first.resource_id)
        session_id = _open(tx, caller, entry_id, turn_id)
    deps.queue.send(turn_id, label=TaskLabel(session_id, caller.organization_id, 1))
    return turn_id


def _open(tx: Tx, caller: Caller, entry_id: UUID, turn_id: UUID) -> UUID:
    entry = dead_letters.find(tx, caller.organization_id, entry_id)
    if entry is None:
        raise NotFound("Dead letter not found")
    head = log.lock(tx, caller.organization_id, entry.turn.session_id)
    # What was found before the lock may have been tried again since.
    entry = dead_letters.find(tx, caller.organization_id, entry_id)
    if head is None or entry is None:
        raise NotFound("Dead letter not found")
    _refuse_if_settled(tx, head, entry)
    change = HeadChange(sets_open_turn=True, open_turn=turn_id)
    log.append(tx, head.session_id, [], fence=Fence(head.epoch), change=change)
    turns.open_turn(
        tx,
        turn_id,
        session_id=head.session_id,
        organization_id=caller.organization_id,
        input_sequence=entry.input_sequence,
    )
    dead_letters.note_retry(tx, entry_id, retry_turn_id=turn_id, principal_id=caller.principal_id)
    return head.session_id


def _refuse_if_settled(tx: Tx, head: Head, entry: DeadLetter) -> None:
    if entry.retry is not None:
        again = show_id(Kind.TURN, entry.retry.turn_id)
        raise Conflict(f"It was tried again at {show_time(entry.retry.at)}, as {again}")
    if head.open_turn_id is not None:
        raise Conflict("A turn of the session is open; wait for its end or cancel it")
    if dead_letters.has_later_turn(tx, entry):
        raise Conflict("The session has gone on with a newer message; send the old one again")
