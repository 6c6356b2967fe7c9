"""Change a session's title, locale or tags; a new title is an event of its own."""

from __future__ import annotations

from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import NotFound
from common.domain.events import EventDraft, EventType
from common.domain.session import Session, SessionPatch
from common.event_codec import LoggedEvent
from common.storage import log, sessions
from common.storage.engine import Tx
from common.storage.log import Fence


def update_session(deps: Deps, caller: Caller, session_id: UUID, changes: SessionPatch) -> Session:
    """Change what is given and return the session.

    Raises:
        NotFound: there is no such session.
    """
    with deps.database.transaction() as tx:
        events = _change(tx, caller.organization_id, session_id, changes)
        session = sessions.find(
            tx, caller.organization_id, session_id, principal_id=caller.principal_id
        )
        if session is None:
            raise NotFound("Session not found")
    deps.live.publish(session_id, events)
    return session


def _change(
    tx: Tx, organization_id: UUID, session_id: UUID, changes: SessionPatch
) -> list[LoggedEvent]:
    head = log.lock(tx, organization_id, session_id)
    if head is None:
        raise NotFound("Session not found")
    before = sessions.title_of(tx, organization_id, session_id)
    sessions.patch(tx, organization_id, session_id, changes)
    if "title" not in changes.given or changes.title == before:
        return []
    data = {"title": changes.title, "previous_title": before}
    draft = EventDraft(EventType.SESSION_TITLE_UPDATED, data)
    return log.append(tx, session_id, [draft], fence=Fence(head.epoch))[1]
