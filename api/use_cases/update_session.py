"""Change a session's title, locale or tags; a new title is an event of its own."""

from __future__ import annotations

from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import NotFound
from common.domain.session import Session, SessionPatch
from common.storage import sessions, titles


def update_session(deps: Deps, caller: Caller, session_id: UUID, changes: SessionPatch) -> Session:
    """Change what is given and return the session.

    Raises:
        NotFound: there is no such session.
    """
    with deps.database.transaction() as tx:
        events = titles.change(tx, caller.organization_id, session_id, changes)
        session = sessions.find(
            tx, caller.organization_id, session_id, principal_id=caller.principal_id
        )
        if session is None:
            raise NotFound("Session not found")
    deps.live.publish(session_id, events)
    return session
