"""Turns as workflows and tasks on the wire (contract 3.13)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from api.schemas.fields import Id, QueryInteger
from api.schemas.shared import LARGEST_OFFSET
from common.domain.ids import Kind, show_id
from common.domain.situation import Loss, TurnView
from common.domain.turn import TurnStatus
from common.domain.turn_task import TASK_STATUS, TASK_TYPE, WORKFLOW_STATUS, WORKFLOW_TYPE
from common.event_codec import show_optional_time, show_time
from common.storage.turn_lists import ListedTurn

Json = dict[str, Any]

MOST_EVENTS: Final = 1000
_WORKFLOW_STATUSES: Final = tuple(dict.fromkeys(WORKFLOW_STATUS.values()))
_TASK_STATUSES: Final = tuple(dict.fromkeys(TASK_STATUS.values()))
_TYPE: Final = validate.Length(max=256)


class _Page(Schema):
    """`offset` and `limit`."""

    offset = QueryInteger(load_default=0, validate=validate.Range(min=0, max=LARGEST_OFFSET))
    limit = QueryInteger(load_default=20, validate=validate.Range(min=1))


class WorkflowListQuery(_Page):
    """Which workflows; there is one type."""

    status = fields.String(load_default=None, validate=validate.OneOf(_WORKFLOW_STATUSES))
    workflow_type = fields.String(load_default=None, validate=_TYPE)


class TaskListQuery(_Page):
    """Which tasks; there is one type."""

    status = fields.String(load_default=None, validate=validate.OneOf(_TASK_STATUSES))
    activity_type = fields.String(load_default=None, validate=_TYPE)
    workflow_id = Id(Kind.TURN, load_default=None)


class WorkflowEventQuery(Schema):
    """Which events of a workflow."""

    after_sequence = QueryInteger(load_default=0, validate=validate.Range(min=0))
    limit = QueryInteger(load_default=MOST_EVENTS, validate=validate.Range(min=1, max=MOST_EVENTS))


class WorkflowStreamQuery(Schema):
    """Where a workflow's stream goes on, which another process serves; not both."""

    since_id = fields.String()
    after_sequence = fields.Integer()


class WorkflowSchema(Schema):
    """A turn."""

    id = fields.String(required=True)
    workflow_type = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_WORKFLOW_STATUSES))
    turn_status = fields.String(
        required=True, validate=validate.OneOf(tuple(str(status) for status in TurnStatus))
    )
    input = fields.Dict(required=True, metadata={"description": "where the message stands"})
    error = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    started_at = fields.DateTime(required=True, allow_none=True)
    completed_at = fields.DateTime(required=True, allow_none=True)


class WorkflowListSchema(Schema):
    """A page, newest first; `total` goes up to 10,000."""

    data = fields.List(fields.Nested(WorkflowSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


class WorkflowEventSchema(Schema):
    """An event of the turn; `event_data` is as its type says."""

    id = fields.String(required=True)
    workflow_id = fields.String(required=True)
    sequence_num = fields.Integer(required=True)
    event_type = fields.String(required=True)
    event_data = fields.Dict(required=True)
    created_at = fields.DateTime(required=True)


class WorkflowEventListSchema(Schema):
    """Events, oldest first; go on after the last `sequence_num`."""

    data = fields.List(fields.Nested(WorkflowEventSchema()), required=True)


class TaskSchema(Schema):
    """The one task of a turn: to run it."""

    id = fields.String(required=True)
    workflow_id = fields.String(required=True)
    activity_id = fields.String(required=True)
    activity_type = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_TASK_STATUSES))
    attempt = fields.Integer(required=True)
    max_attempts = fields.Integer(required=True)
    priority = fields.Integer(required=True)
    claimed_by = fields.String(required=True, allow_none=True)
    last_error = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class TaskListSchema(Schema):
    """A page, newest first; `total` goes up to 10,000."""

    data = fields.List(fields.Nested(TaskSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


def statuses_of(shown: str | None, mapping: dict[TurnStatus, str]) -> list[TurnStatus] | None:
    """The turn statuses that are shown so; None for any."""
    if shown is None:
        return None
    return [status for status, word in mapping.items() if word == shown]


def show_workflow(listed: ListedTurn, *, error: str | None = None) -> Json:
    """A turn as a workflow; `error` is what its events say of a failure."""
    turn = listed.turn
    return {
        "id": show_id(Kind.TURN, turn.id),
        "workflow_type": WORKFLOW_TYPE,
        "status": WORKFLOW_STATUS[turn.status],
        "turn_status": str(turn.status),
        "input": {
            "session_id": show_id(Kind.SESSION, turn.session_id),
            "input_sequence": listed.input_sequence,
        },
        "error": error or last_error(turn),
        "created_at": show_time(turn.created_at),
        "started_at": show_optional_time(turn.started_at),
        "completed_at": show_optional_time(turn.ended_at),
    }


def show_task(listed: ListedTurn, *, max_attempts: int) -> Json:
    """A turn as a task."""
    turn = listed.turn
    return {
        "id": show_id(Kind.TASK, turn.id),
        "workflow_id": show_id(Kind.TURN, turn.id),
        "activity_id": show_id(Kind.TURN, turn.id),
        "activity_type": TASK_TYPE,
        "status": TASK_STATUS[turn.status],
        "attempt": turn.attempt,
        "max_attempts": max_attempts,
        "priority": listed.priority,
        "claimed_by": turn.lease_owner,
        "last_error": last_error(turn),
        "created_at": show_time(turn.created_at),
    }


def last_error(turn: TurnView) -> str | None:
    """How the turn lost its last worker."""
    return say_loss(turn.losses[-1]) if turn.losses else None


def say_loss(loss: Loss) -> str:
    """A loss in a word or two."""
    return loss.error if loss.place is None else f"{loss.error} at {loss.place}"
