"""What file tools have in common: where the files are, who changes them, what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from common.domain.errors import DomainError, LeaseLost
from common.domain.events import EventDraft
from common.domain.ids import Kind, show_id
from common.storage import session_files
from common.storage.engine import Tx
from common.storage.files import Place
from common.storage.session_files import Writer
from worker.capabilities.capability import (
    ToolContext,
    ToolFailed,
    ToolFunction,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.services import Services

Arguments = Mapping[str, Any]
TAKEN_OVER = "The turn was taken over or cancelled; nothing was changed."


def place_of(context: ToolContext) -> Place:
    """The session's workspace."""
    return Place(context.organization_id, context.workspace_id)


def writer_of(context: ToolContext) -> Writer:
    """The call, as one that changes files: its events name the turn and the call.

    No trace id: that marks the events of the turn's own thread, which looks for them after a
    broken connection.
    """
    return Writer(
        context.organization_id,
        context.session_id,
        context.epoch,
        {"turn_id": show_id(Kind.TURN, context.turn_id), "tool_call_id": context.tool_call_id},
    )


def changing(
    services: Services,
    context: ToolContext,
    change: Callable[[Tx], tuple[dict[str, Any], EventDraft | None]],
) -> dict[str, Any]:
    """Make a change and its event in one transaction, then tell; what the change returned.

    Raises:
        DomainError: it was refused.
        LeaseLost: the turn does not hold the session any more; nothing was changed.
    """
    with services.database.of(context.organization_id).transaction() as tx:
        result, draft = change(tx)
        drafts = [] if draft is None else [draft]
        events = session_files.announce(tx, writer_of(context), drafts)
    if events:
        services.publish(context.session_id, events)
    return result


def answering(run: Callable[[Arguments, ToolContext], Any]) -> ToolFunction:
    """A tool of what returns a result or raises what a person can be told."""

    def answer(arguments: Arguments, context: ToolContext, /) -> ToolOutcome:
        try:
            return ToolSucceeded(run(arguments, context))
        except DomainError as refused:
            return ToolFailed(refused.message)
        except LeaseLost:
            return ToolFailed(TAKEN_OVER)

    return answer
