"""Workers and the service's health on the wire (contract 3.13)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from common.domain.ids import Kind, show_id
from common.domain.turn_task import TASK_TYPE
from common.domain.worker import Worker, WorkerStatus
from common.event_codec import show_time

Json = dict[str, Any]

# There is one group; the field is the contract's.
GROUP: Final = "default"
_STATUSES: Final = tuple(str(status) for status in WorkerStatus)
_VERDICTS: Final = ("healthy", "degraded", "unhealthy")


class WorkerListQuery(Schema):
    """Which workers."""

    status = fields.String(load_default=None, validate=validate.OneOf(_STATUSES))
    worker_group = fields.String(load_default=None, validate=validate.Length(max=256))


class WorkerSchema(Schema):
    """A worker process, from the row that it keeps writing."""

    id = fields.String(required=True)
    hostname = fields.String(required=True)
    worker_group = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    activity_types = fields.List(fields.String(), required=True)
    max_concurrency = fields.Integer(required=True)
    current_load = fields.Integer(required=True)
    accepting_tasks = fields.Boolean(required=True)
    backpressure_reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "silent, draining, stopped or at_capacity; null when accepting"},
    )
    tasks_completed = fields.Integer(required=True)
    tasks_failed = fields.Integer(required=True)
    version = fields.String(required=True)
    metadata = fields.Dict(required=True)
    started_at = fields.DateTime(required=True)
    last_heartbeat_at = fields.DateTime(required=True)


class WorkerSummarySchema(Schema):
    """Workers in numbers."""

    active = fields.Integer(required=True)
    draining = fields.Integer(required=True)
    stopped = fields.Integer(required=True)
    total_capacity = fields.Integer(required=True)
    total_load = fields.Integer(required=True)


class WorkerListSchema(Schema):
    """Workers, oldest first; the summary is of all of them."""

    data = fields.List(fields.Nested(WorkerSchema()), required=True)
    summary = fields.Nested(WorkerSummarySchema(), required=True)
    total = fields.Integer(required=True)


class ServiceHealthSchema(Schema):
    """Whether turns get done: counts of the whole installation."""

    status = fields.String(required=True, validate=validate.OneOf(_VERDICTS))
    total_workers = fields.Integer(required=True)
    active_workers = fields.Integer(required=True)
    workers_accepting = fields.Integer(required=True)
    total_capacity = fields.Integer(required=True)
    current_load = fields.Integer(required=True)
    load_percentage = fields.Float(required=True)
    pending_tasks = fields.Integer(required=True)
    claimed_tasks = fields.Integer(required=True)
    started_tasks = fields.Integer(required=True, metadata={"description": "of the last hour"})
    completed_tasks = fields.Integer(required=True, metadata={"description": "of the last hour"})
    failed_tasks = fields.Integer(required=True, metadata={"description": "of the last hour"})
    pending_workflows = fields.Integer(required=True)
    running_workflows = fields.Integer(required=True)
    started_workflows = fields.Integer(required=True)
    completed_workflows = fields.Integer(required=True)
    failed_workflows = fields.Integer(required=True)
    dlq_size = fields.Integer(required=True)
    oldest_pending_seconds = fields.Float(required=True)


def show_worker(worker: Worker, *, silent_after: float) -> Json:
    """A worker as it goes out."""
    report = worker.report
    return {
        "id": show_id(Kind.WORKER, report.id),
        "hostname": report.hostname,
        "worker_group": GROUP,
        "status": str(worker.status(silent_after=silent_after)),
        "activity_types": [TASK_TYPE],
        "max_concurrency": report.capacity,
        "current_load": report.load,
        "accepting_tasks": worker.is_accepting(silent_after=silent_after),
        "backpressure_reason": worker.backpressure(silent_after=silent_after),
        "tasks_completed": report.tasks_completed,
        "tasks_failed": report.tasks_failed,
        "version": report.version,
        "metadata": {"pid": report.pid},
        "started_at": show_time(worker.started_at),
        "last_heartbeat_at": show_time(worker.last_heartbeat_at),
    }


def summarize(found: list[Worker], *, silent_after: float) -> Json:
    """Workers in numbers; those that are gone have neither capacity nor load."""
    by_status = {
        status: [each for each in found if each.status(silent_after=silent_after) is status]
        for status in WorkerStatus
    }
    live = by_status[WorkerStatus.ACTIVE] + by_status[WorkerStatus.DRAINING]
    return {
        **{str(status): len(of_status) for status, of_status in by_status.items()},
        "total_capacity": sum(each.report.capacity for each in live),
        "total_load": sum(each.report.load for each in live),
    }
