"""Turns in the words of durable execution, and dead letters (contract 3.13)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from api.auth import Caller
from api.deps import Deps
from api.endpoint import Answer, Call, Contract, endpoint
from api.errors import Misdirected
from api.lists.workflow_events import failure_of, list_workflow_events
from api.schemas.dead_letters import (
    DeadLetterListQuery,
    DeadLetterListSchema,
    DeadLetterSchema,
    NewTaskSchema,
    show_dead_letter,
    show_new_task,
)
from api.schemas.sessions import CancelSchema
from api.schemas.shared import page, page_limit
from api.schemas.workflows import (
    TaskListQuery,
    TaskListSchema,
    WorkflowEventListSchema,
    WorkflowEventQuery,
    WorkflowListQuery,
    WorkflowListSchema,
    WorkflowSchema,
    WorkflowStreamQuery,
    show_task,
    show_workflow,
    statuses_of,
)
from api.use_cases.cancel_turn import CANCELLED, cancel_turn
from api.use_cases.retry_dead_letter import retry_dead_letter
from common.domain.access import Scope
from common.domain.errors import NotFound
from common.domain.turn_task import TASK_STATUS, TASK_TYPE, WORKFLOW_STATUS, WORKFLOW_TYPE
from common.storage import dead_letters, turn_lists
from common.storage.turn_lists import ListedTurn

blueprint = APIBlueprint("workflows", __name__, url_prefix="/v1/durable")

_TEXT_OF = {True: "Turn cancelled", False: "The turn is over"}


@blueprint.get("/workflows")
@endpoint(
    Contract(
        summary="List workflows",
        scope=Scope.OPERATIONS_READ,
        description="A workflow is a turn: queued is `pending`, running and waiting are `running`,"
        " failed and sealed are `failed`.",
        query=WorkflowListQuery(),
        returns=WorkflowListSchema(),
        fails=(404, 503),
    )
)
def list_workflows(call: Call[None, dict[str, Any]]) -> Answer:
    """List turns, newest first."""
    query, limit = call.query, page_limit(call.query)
    if query["workflow_type"] not in (None, WORKFLOW_TYPE):
        return page([], total=0, offset=query["offset"], limit=limit)
    with call.deps.database.reading() as tx:
        found = turn_lists.page(
            tx,
            call.caller.organization_id,
            statuses=statuses_of(query["status"], WORKFLOW_STATUS),
            turn_id=None,
            offset=query["offset"],
            limit=limit,
        )
    shown = [show_workflow(each) for each in found.turns]
    return page(shown, total=found.total, offset=query["offset"], limit=limit)


@blueprint.get("/workflows/<workflow_id>")
@endpoint(
    Contract(
        summary="Get a workflow",
        scope=Scope.OPERATIONS_READ,
        returns=WorkflowSchema(),
        fails=(404, 503),
    )
)
def get_workflow(call: Call[None, None], workflow_id: UUID) -> Answer:
    """Get one turn; of a failed one its error says why."""
    found = _find(call.deps, call.caller, workflow_id)
    return show_workflow(found, error=failure_of(call.deps, found))


@blueprint.get("/workflows/<workflow_id>/events")
@endpoint(
    Contract(
        summary="List a workflow's events",
        scope=Scope.OPERATIONS_READ,
        query=WorkflowEventQuery(),
        returns=WorkflowEventListSchema(),
        fails=(404, 503),
    )
)
def get_workflow_events(call: Call[None, dict[str, Any]], workflow_id: UUID) -> Response:
    """List the turn's events, oldest first."""
    found = _find(call.deps, call.caller, workflow_id)
    after, limit = call.query["after_sequence"], call.query["limit"]
    return list_workflow_events(call.deps, found, after=after, limit=limit)


@blueprint.get("/workflows/<workflow_id>/sse")
@endpoint(
    Contract(
        summary="Watch a workflow",
        scope=Scope.OPERATIONS_READ,
        description="Server-sent events: `connected`, the turn's events as they are listed, each"
        " under the name of its type, and `disconnecting` with the reason `workflow_over` after"
        " the last. Served by the stream process.",
        query=WorkflowStreamQuery(),
        content_type="text/event-stream",
        fails=(404, 429, 503),
    )
)
def stream_workflow(_call: Call[None, dict[str, Any]], workflow_id: UUID) -> Answer:  # noqa: ARG001
    """Watch; this process is never asked when the proxy is set up rightly."""
    raise Misdirected("Event streams are served by the stream process, not by this one")


@blueprint.post("/workflows/<workflow_id>/cancel")
@endpoint(
    Contract(
        summary="Cancel a workflow",
        scope=Scope.OPERATIONS_WRITE,
        returns=CancelSchema(),
        fails=(404, 422, 503),
    )
)
def cancel_workflow(call: Call[None, None], workflow_id: UUID) -> Answer:
    """Cancel the turn; nothing happens when it is over."""
    found = _find(call.deps, call.caller, workflow_id)
    status = cancel_turn(
        call.deps, call.caller, found.turn.session_id, call.key, turn_id=workflow_id
    )
    return {"status": status, "message": _TEXT_OF[status == CANCELLED]}


@blueprint.get("/tasks")
@endpoint(
    Contract(
        summary="List tasks",
        scope=Scope.OPERATIONS_READ,
        description="Each workflow has one: to run the turn.",
        query=TaskListQuery(),
        returns=TaskListSchema(),
        fails=(404, 503),
    )
)
def list_tasks(call: Call[None, dict[str, Any]]) -> Answer:
    """List the tasks of turns, newest first."""
    query, limit = call.query, page_limit(call.query)
    if query["activity_type"] not in (None, TASK_TYPE):
        return page([], total=0, offset=query["offset"], limit=limit)
    with call.deps.database.reading() as tx:
        found = turn_lists.page(
            tx,
            call.caller.organization_id,
            statuses=statuses_of(query["status"], TASK_STATUS),
            turn_id=query["workflow_id"],
            offset=query["offset"],
            limit=limit,
        )
    most = call.deps.settings.max_reclaims + 1
    shown = [show_task(each, max_attempts=most) for each in found.turns]
    return page(shown, total=found.total, offset=query["offset"], limit=limit)


@blueprint.get("/dlq")
@endpoint(
    Contract(
        summary="List dead letters",
        scope=Scope.OPERATIONS_READ,
        description="Turns that were sealed because they kept losing their workers, and that were"
        " not tried again.",
        query=DeadLetterListQuery(),
        returns=DeadLetterListSchema(),
        fails=(404, 503),
    )
)
def list_dead_letters(call: Call[None, dict[str, Any]]) -> Answer:
    """List dead letters, newest first."""
    query, limit = call.query, page_limit(call.query)
    if query["activity_type"] not in (None, TASK_TYPE):
        return page([], total=0, offset=query["offset"], limit=limit)
    with call.deps.database.reading() as tx:
        found = dead_letters.page(
            tx,
            call.caller.organization_id,
            turn_id=query["workflow_id"],
            offset=query["offset"],
            limit=limit,
        )
    shown = [show_dead_letter(each) for each in found.entries]
    return page(shown, total=found.total, offset=query["offset"], limit=limit)


@blueprint.get("/dlq/<entry_id>")
@endpoint(
    Contract(
        summary="Get a dead letter",
        scope=Scope.OPERATIONS_READ,
        returns=DeadLetterSchema(),
        fails=(404, 503),
    )
)
def get_dead_letter(call: Call[None, None], entry_id: UUID) -> Answer:
    """Get one dead letter, also one that was tried again."""
    with call.deps.database.reading() as tx:
        found = dead_letters.find(tx, call.caller.organization_id, entry_id)
    if found is None:
        raise NotFound("Dead letter not found")
    return show_dead_letter(found)


@blueprint.post("/dlq/<entry_id>/retry")
@endpoint(
    Contract(
        summary="Try a dead letter again",
        scope=Scope.OPERATIONS_WRITE,
        description="A new turn for the same message. Once for each dead letter, and not while a"
        " turn of the session is open or when it has gone on with a newer message (409).",
        status=201,
        returns=NewTaskSchema(),
        fails=(404, 409, 422, 503),
    )
)
def retry(call: Call[None, None], entry_id: UUID) -> Answer:
    """Open a new turn for the message that the sealed one did not answer."""
    turn_id = retry_dead_letter(call.deps, call.caller, entry_id, call.key)
    return show_new_task(turn_id)


def _find(deps: Deps, caller: Caller, turn_id: UUID) -> ListedTurn:
    with deps.database.reading() as tx:
        found = turn_lists.find(tx, caller.organization_id, turn_id)
    if found is None:
        raise NotFound("Workflow not found")
    return found
