"""Pin or unpin a session for one principal; both may be repeated."""

from __future__ import annotations

from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import NotFound
from common.storage import sessions
from common.storage.engine import Tx


def pin_session(deps: Deps, caller: Caller, session_id: UUID) -> None:
    """Pin it.

    Raises:
        NotFound: there is no such session.
    """
    with deps.database.transaction() as tx:
        _check_exists(tx, caller, session_id)
        sessions.pin(tx, caller.organization_id, session_id, principal_id=caller.principal_id)


def unpin_session(deps: Deps, caller: Caller, session_id: UUID) -> None:
    """Take the pin away, if there is one.

    Raises:
        NotFound: there is no such session.
    """
    with deps.database.transaction() as tx:
        _check_exists(tx, caller, session_id)
        sessions.unpin(tx, session_id, principal_id=caller.principal_id)


def _check_exists(tx: Tx, caller: Caller, session_id: UUID) -> None:
    if not sessions.exists(tx, caller.organization_id, session_id):
        raise NotFound("Session not found")
