"""Dead letters on the wire (contract 3.13)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, fields, validate

from api.schemas.fields import Id, QueryInteger
from api.schemas.shared import LARGEST_OFFSET
from api.schemas.workflows import last_error
from common.domain.ids import Kind, show_id
from common.domain.turn_task import TASK_TYPE
from common.event_codec import show_time
from common.storage.dead_letters import DeadLetter, Retry

Json = dict[str, Any]

_UNKNOWN: Final = "no_progress"


class DeadLetterListQuery(Schema):
    """Which dead letters; there is one type."""

    workflow_id = Id(Kind.TURN, load_default=None)
    activity_type = fields.String(load_default=None, validate=validate.Length(max=256))
    offset = QueryInteger(load_default=0, validate=validate.Range(min=0, max=LARGEST_OFFSET))
    limit = QueryInteger(load_default=20, validate=validate.Range(min=1))


class LossSchema(Schema):
    """How the turn lost a worker: it fell silent, or something broke there."""

    at = fields.DateTime(required=True)
    worker_id = fields.String(required=True, allow_none=True)
    error = fields.String(required=True)
    place = fields.String(required=True, allow_none=True)


class RetrySchema(Schema):
    """That it was tried again."""

    task_id = fields.String(required=True)
    workflow_id = fields.String(required=True)
    retried_by = fields.String(required=True)
    retried_at = fields.DateTime(required=True)


class DeadLetterSchema(Schema):
    """A sealed turn."""

    id = fields.String(required=True)
    original_task_id = fields.String(required=True)
    workflow_id = fields.String(required=True)
    activity_id = fields.String(required=True)
    activity_type = fields.String(required=True)
    input = fields.Dict(required=True, metadata={"description": "where the message stands"})
    attempts = fields.Integer(required=True)
    last_error = fields.String(required=True)
    error_history = fields.List(fields.Nested(LossSchema()), required=True)
    dead_at = fields.DateTime(required=True)
    retry = fields.Nested(RetrySchema(), required=True, allow_none=True)


class DeadLetterListSchema(Schema):
    """Those that were not tried again, newest first; `total` goes up to 10,000."""

    data = fields.List(fields.Nested(DeadLetterSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


class NewTaskSchema(Schema):
    """The turn that tries it again."""

    task_id = fields.String(required=True)
    workflow_id = fields.String(required=True)


def show_dead_letter(entry: DeadLetter) -> Json:
    """A dead letter as it goes out."""
    turn = entry.turn
    return {
        "id": show_id(Kind.DEAD_LETTER, turn.id),
        "original_task_id": show_id(Kind.TASK, turn.id),
        "workflow_id": show_id(Kind.TURN, turn.id),
        "activity_id": show_id(Kind.TURN, turn.id),
        "activity_type": TASK_TYPE,
        "input": {
            "session_id": show_id(Kind.SESSION, turn.session_id),
            "input_sequence": entry.input_sequence,
        },
        "attempts": turn.attempt,
        "last_error": last_error(turn) or _UNKNOWN,
        "error_history": [
            {
                "at": show_time(loss.at),
                "worker_id": loss.worker,
                "error": loss.error,
                "place": loss.place,
            }
            for loss in turn.losses
        ],
        "dead_at": show_time(turn.ended_at or turn.created_at),
        "retry": None if entry.retry is None else _show_retry(entry.retry),
    }


def show_new_task(turn_id: UUID) -> Json:
    """The turn that was opened."""
    return {"task_id": show_id(Kind.TASK, turn_id), "workflow_id": show_id(Kind.TURN, turn_id)}


def _show_retry(retry: Retry) -> Json:
    return {
        **show_new_task(retry.turn_id),
        "retried_by": str(retry.principal_id),
        "retried_at": show_time(retry.at),
    }
