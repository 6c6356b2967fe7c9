"""Worker processes: each writes its own row, and reads there what it is wanted to be."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.worker import Fleet, Worker, WorkerReport, WorkerStatus
from common.storage.engine import Tx

# Long enough to tell who lost a turn, too short for thousands of rows.
KEPT_SECONDS: Final = 3600

_BEAT: Final = text("""
    INSERT INTO workers (id, hostname, pid, version, status, capacity, load, tasks_completed,
        tasks_failed)
    VALUES (:id, :hostname, :pid, :version, :status, :capacity, :load, :tasks_completed,
        :tasks_failed)
    ON CONFLICT (id) DO UPDATE SET
        status = excluded.status, capacity = excluded.capacity, load = excluded.load,
        tasks_completed = excluded.tasks_completed, tasks_failed = excluded.tasks_failed,
        last_heartbeat_at = clock_timestamp()
    RETURNING wanted
""")
_COLUMNS: Final = """
    id, hostname, pid, version, status, wanted, capacity, load, tasks_completed, tasks_failed,
    started_at, last_heartbeat_at,
    CAST(extract(epoch FROM clock_timestamp() - last_heartbeat_at) AS float) AS silent_seconds
"""
_ALL: Final = text(f"SELECT {_COLUMNS} FROM workers ORDER BY started_at, id")
_FIND: Final = text(f"SELECT {_COLUMNS} FROM workers WHERE id = :id")
_WANT: Final = text(f"UPDATE workers SET wanted = :wanted WHERE id = :id RETURNING {_COLUMNS}")
_FORGET: Final = text("""
    DELETE FROM workers WHERE id IN (
        SELECT id FROM workers
        WHERE last_heartbeat_at < clock_timestamp() - make_interval(secs => :kept)
        FOR UPDATE SKIP LOCKED)
""")
_FLEET: Final = text("""
    SELECT count(*) AS total,
        count(*) FILTER (WHERE is_live) AS live,
        count(*) FILTER (WHERE is_live AND NOT is_open) AS draining,
        count(*) FILTER (WHERE is_open AND load < capacity) AS accepting,
        coalesce(sum(capacity) FILTER (WHERE is_open), 0) AS capacity,
        coalesce(sum(load) FILTER (WHERE is_live), 0) AS load
    FROM (
        SELECT capacity, load, is_live, is_live AND status = 'active' AND wanted = 'active'
            AS is_open
        FROM (
            SELECT *, status <> 'stopped' AND last_heartbeat_at
                >= clock_timestamp() - make_interval(secs => :silent_after) AS is_live
            FROM workers
        ) known
    ) judged
""")


def beat(tx: Tx, report: WorkerReport) -> WorkerStatus:
    """Keep what a worker says of itself; returns what it is wanted to be."""
    values = {
        "id": report.id,
        "hostname": report.hostname,
        "pid": report.pid,
        "version": report.version,
        "status": report.status,
        "capacity": report.capacity,
        "load": report.load,
        "tasks_completed": report.tasks_completed,
        "tasks_failed": report.tasks_failed,
    }
    return WorkerStatus(tx.execute(_BEAT, values).scalar_one())


def find_all(tx: Tx) -> list[Worker]:
    """Every worker that is not forgotten, oldest first."""
    return [_worker(row) for row in tx.execute(_ALL)]


def find(tx: Tx, worker_id: UUID) -> Worker | None:
    """One worker."""
    row = tx.execute(_FIND, {"id": worker_id}).one_or_none()
    return None if row is None else _worker(row)


def want(tx: Tx, worker_id: UUID, wanted: WorkerStatus) -> Worker | None:
    """Say what a worker is to be; None when there is no such worker."""
    row = tx.execute(_WANT, {"id": worker_id, "wanted": wanted}).one_or_none()
    return None if row is None else _worker(row)


def fleet(tx: Tx, *, silent_after: float) -> Fleet:
    """All workers in numbers; one silent for longer counts as gone."""
    row = tx.execute(_FLEET, {"silent_after": silent_after}).one()
    return Fleet(
        total=row.total,
        live=row.live,
        draining=row.draining,
        accepting=row.accepting,
        capacity=int(row.capacity),
        load=int(row.load),
    )


def forget_silent(tx: Tx, *, kept_seconds: float = KEPT_SECONDS) -> int:
    """Remove workers that have been gone for long; returns how many."""
    return tx.execute(_FORGET, {"kept": kept_seconds}).rowcount


def _worker(row: Row[Any]) -> Worker:
    return Worker(
        report=WorkerReport(
            id=row.id,
            hostname=row.hostname,
            pid=row.pid,
            version=row.version,
            status=WorkerStatus(row.status),
            capacity=row.capacity,
            load=row.load,
            tasks_completed=row.tasks_completed,
            tasks_failed=row.tasks_failed,
        ),
        wanted=WorkerStatus(row.wanted),
        started_at=row.started_at,
        last_heartbeat_at=row.last_heartbeat_at,
        silent_seconds=row.silent_seconds,
    )
