"""Counts of workers and turns of the whole installation: no rows, no organization's own."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from common.domain.service_health import ServiceHealth, TurnCounts
from common.storage import workers
from common.storage.engine import Tx

# Open and sealed turns are counted over partial indexes, those of the last hour over the
# primary key, whose ids begin with their time: none of it grows with the table.  A turn that
# has been on a worker before is queued again since so long as its sends were postponed.
_COUNT: Final = text("""
    SELECT
        (SELECT count(*) FROM turns WHERE status = 'queued') AS queued,
        (SELECT coalesce(CAST(extract(epoch FROM clock_timestamp() - min(CASE
                WHEN attempt = 0 THEN created_at
                ELSE available_at - make_interval(secs => CASE WHEN sends <= 6
                    THEN 5 * (power(2, sends) - 1) ELSE 315 + 300 * (sends - 6) END)
            END)) AS float), 0) FROM turns WHERE status = 'queued') AS oldest_queued_seconds,
        (SELECT count(*) FROM turns WHERE status = 'running') AS running,
        (SELECT count(*) FROM turns WHERE status = 'waiting') AS waiting,
        (SELECT count(*) FROM turns t WHERE status = 'sealed' AND NOT EXISTS (
            SELECT 1 FROM dead_letter_retries r WHERE r.turn_id = t.id)) AS dead_letters,
        hour.*
    FROM (
        SELECT count(*) FILTER (WHERE started_at IS NOT NULL) AS begun,
            count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE status IN ('failed', 'sealed')) AS failed
        FROM turns WHERE id >= CAST(lpad(to_hex(CAST(
            extract(epoch FROM clock_timestamp() - interval '1 hour') * 1000 AS bigint)), 12, '0')
            || repeat('0', 20) AS uuid)
    ) hour
""")


def look(tx: Tx, *, silent_after: float) -> ServiceHealth:
    """Workers and turns now."""
    row = tx.execute(_COUNT).one()
    counts = TurnCounts(
        queued=row.queued,
        running=row.running,
        waiting=row.waiting,
        begun=row.begun,
        completed=row.completed,
        failed=row.failed,
        dead_letters=row.dead_letters,
        oldest_queued_seconds=max(0.0, row.oldest_queued_seconds),
    )
    return ServiceHealth(workers.fleet(tx, silent_after=silent_after), counts)
