"""Change what people set on a session; a new title or model is an event of its own."""

from __future__ import annotations

from uuid import UUID

from common.domain.errors import LeaseLost, NotFound
from common.domain.events import EventDraft, EventType
from common.domain.session import SessionPatch
from common.event_codec import LoggedEvent
from common.storage import log, sessions
from common.storage.engine import Tx
from common.storage.log import Fence


def change(
    tx: Tx,
    organization_id: UUID,
    session_id: UUID,
    changes: SessionPatch,
    *,
    epoch: int | None = None,
) -> list[LoggedEvent]:
    """Change title, locale, model or tags; the events that say so.

    Args:
        tx: the transaction of the change.
        organization_id: whose session it is.
        session_id: the session.
        changes: what changes.
        epoch: the turn's hold on the session; None for a caller of the API.

    Raises:
        NotFound: there is no such session.
        LeaseLost: the turn does not hold it any more.
    """
    head = log.lock(tx, organization_id, session_id)
    if head is None:
        raise NotFound("Session not found")
    if epoch is not None and head.epoch != epoch:
        raise LeaseLost
    drafts = []
    if "title" in changes.given:
        before = sessions.title_of(tx, organization_id, session_id)
        if changes.title != before:
            data = {"title": changes.title, "previous_title": before}
            drafts.append(EventDraft(EventType.SESSION_TITLE_UPDATED, data))
    if "model_id" in changes.given:
        before = sessions.model_of(tx, organization_id, session_id)
        if changes.model_id != before:
            data = {"model_id": changes.model_id, "previous_model_id": before}
            drafts.append(EventDraft(EventType.MODEL_CHANGED, data))
    sessions.patch(tx, organization_id, session_id, changes)
    if not drafts:
        return []
    return log.append(tx, session_id, drafts, fence=Fence(head.epoch))[1]
