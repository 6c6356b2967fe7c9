"""The caller's chat session: found, or made the first time."""

from __future__ import annotations

from api.auth import Caller
from api.deps import Deps
from api.use_cases.create_session import insert_session
from common.domain.errors import NotFound
from common.domain.session import Session, SessionConfig
from common.storage import chats, organizations, sessions


def open_chat(deps: Deps, caller: Caller, *, locale: str | None) -> Session:
    """Return the caller's chat session; `locale` is that of a new one."""
    event = None
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        session_id = chats.chat_of(tx, caller.organization_id, principal_id=caller.principal_id)
        if session_id is None:
            session_id = deps.new_id()
            event = insert_session(tx, caller, session_id, SessionConfig(locale=locale))
            chats.make_chat(tx, caller.organization_id, session_id)
        session = sessions.find(
            tx, caller.organization_id, session_id, principal_id=caller.principal_id
        )
        if session is None:
            raise NotFound("Session not found")
    if event is not None:
        deps.live.publish(session.id, [event])
    return session
