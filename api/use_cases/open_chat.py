"""The caller's chat session: found, or made the first time."""

from __future__ import annotations

from http import HTTPStatus

from api.auth import Caller
from api.deps import Deps
from api.use_cases.create_session import insert_session
from common.domain.errors import NotFound
from common.domain.session import Session, SessionConfig
from common.storage import chats, idempotency, organizations, sessions
from common.storage.idempotency import IdempotencyKey


def open_chat(
    deps: Deps, caller: Caller, *, locale: str | None, key: IdempotencyKey | None
) -> Session:
    """Return the caller's chat session; `locale` is that of a new one.

    It may be repeated with and without a key; the key is held against the body alone.

    Raises:
        IdempotencyKeyReused: the key came with another body.
    """
    event = None
    with deps.database.transaction() as tx:
        if key is not None:
            idempotency.first_answer(tx, key, resource_id="", status_code=HTTPStatus.OK)
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
