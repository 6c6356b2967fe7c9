"""Delete a session: from the commit on it does not exist for anyone (design 3)."""

from __future__ import annotations

from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import NotFound
from common.domain.turn import SessionStatus, TurnStatus
from common.storage import log, sessions, turns
from common.storage.log import Fence, HeadChange


def delete_session(deps: Deps, caller: Caller, session_id: UUID) -> None:
    """Delete the session, whatever it is doing; the sweeper removes what it leaves.

    Raises:
        NotFound: there is no such session, or no longer.
    """
    with deps.database.transaction() as tx:
        head = log.lock(tx, caller.organization_id, session_id)
        if head is None:
            raise NotFound("Session not found")
        # The new epoch is what stops a worker whose write is already under way (I3).
        change = HeadChange(
            status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None, raises_epoch=True
        )
        log.append(tx, session_id, [], fence=Fence(head.epoch), change=change)
        if head.open_turn_id is not None:
            turns.end(tx, head.open_turn_id, TurnStatus.CANCELLED)
        sessions.delete(tx, caller.organization_id, session_id)
    deps.live.publish_gone(session_id)
    if head.open_turn_id is not None:
        deps.live.cancel(head.open_turn_id)
