"""Which turn a worker takes next, so that a flood of one organization keeps no other waiting.

A wake-up that comes at once takes the turn that it names.  Where turns wait longer than a
wake-up takes, a wake-up is worth one turn, whichever: the oldest of the organization that
has the fewest running, and among equals of the one whose place in the ring is next.  So a
turn that was passed over is taken with the wake-up of the one that overtook it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.domain.turn import Claim
from common.storage import turns
from common.storage.engine import Tx

# A wake-up takes 5 ms; one that took so long had others before it.
LATE_SECONDS: Final = 0.1
# An organization that is not among those looked at is so a few turns later: the ring goes on.
_MOST_LOOKED_AT: Final = 100
_MOST_TRIED: Final = 8
_MOST_RUNNING: Final = 10_000
# More than are being claimed at any moment.
_CANDIDATES: Final = 32

# Takes the named turn, unless that has waited and others wait too.  Sorted, here and below, by
# what one index alone has in order: after a flood the planner's idea of how many turns are
# queued may be long out of date.
_TAKE_IF_FIRST: Final = turns.taking(
    "everturn_take_if_first",
    f"""
    SELECT t.id AS turn_id, h.epoch
    FROM session_heads h JOIN turns t ON t.session_id = h.session_id
    WHERE t.id = :turn_id AND {turns.IS_QUEUED} AND h.open_turn_id = t.id AND (
        (t.sends <= 1 AND t.available_at > clock_timestamp() + make_interval(secs => :prompt))
        OR (SELECT o.id FROM turns o WHERE o.status = 'queued' AND o.id <> t.id
            ORDER BY o.available_at LIMIT 1) IS NULL
    )
    FOR UPDATE OF h
    """,
    turn_id="uuid",
    prompt="float8",
)

_NEXT: Final = """
    (SELECT o.organization_id FROM turns o
    WHERE o.status = 'queued' AND o.organization_id > {after}
    ORDER BY o.organization_id, o.created_at LIMIT 1)
"""
_FIRST: Final = _NEXT.format(after="'00000000-0000-0000-0000-000000000000'")

# Costs a probe of the index for each organization that waits, not for each turn.
_WHO_WAITS: Final = text(f"""
    WITH RECURSIVE ring (place, organization_id, began) AS (
        SELECT 1, s.organization_id, s.organization_id
        FROM (SELECT coalesce({_NEXT.format(after=":after")}, {_FIRST}) AS organization_id) s
        UNION ALL
        SELECT r.place + 1,
            coalesce({_NEXT.format(after="r.organization_id")}, {_FIRST}), r.began
        FROM ring r
        WHERE r.organization_id IS NOT NULL AND r.place < :most
            AND (r.place = 1 OR r.organization_id <> r.began)
    ), busy AS (
        SELECT s.organization_id, count(*) AS running FROM (
            SELECT organization_id FROM turns WHERE status = 'running'
            ORDER BY lease_until DESC LIMIT :most_running
        ) s GROUP BY s.organization_id
    )
    SELECT r.organization_id FROM ring r
    LEFT JOIN busy b ON b.organization_id = r.organization_id
    WHERE r.organization_id IS NOT NULL AND (r.place = 1 OR r.organization_id <> r.began)
    ORDER BY coalesce(b.running, 0), r.place LIMIT :tried
""")

# Head first, then turn, one pair after the other until one is to be had: what is locked with
# LATERAL is looked up row by row, whatever the planner believes of the tables.
_LOCK_OLDEST_OF: Final = text(f"""
    WITH oldest AS MATERIALIZED (
        SELECT id, session_id FROM turns
        WHERE status = 'queued' AND organization_id = :organization_id
        ORDER BY created_at LIMIT :candidates
    )
    SELECT o.id, h.epoch FROM oldest o
    CROSS JOIN LATERAL (
        SELECT epoch FROM session_heads WHERE session_id = o.session_id FOR UPDATE SKIP LOCKED
    ) h
    CROSS JOIN LATERAL (
        SELECT t.id FROM turns t WHERE t.id = o.id AND {turns.IS_QUEUED}
        FOR UPDATE OF t SKIP LOCKED
    ) t
    LIMIT 1
""")


def claim(tx: Tx, turn_id: UUID, *, after: UUID, owner: str, lease_seconds: float) -> Claim | None:
    """Take the turn that a wake-up names, or the one whose turn it is when more are waiting.

    `after` is the organization that the caller served last.  None when nothing waits that
    could be taken.
    """
    values = {
        "turn_id": turn_id,
        "prompt": turns.FIRST_RESEND_SECONDS - LATE_SECONDS,
        "owner": owner,
        "lease": lease_seconds,
    }
    named = _TAKE_IF_FIRST.one(tx, values)
    if named is not None:
        # None, when another one was first: its session is locked here, and must not stay so.
        return turns.taken(tx, named)
    waiting = who_waits(tx, after=after)
    for organization_id in waiting:
        oldest = lock_oldest_of(tx, organization_id)
        if oldest is not None:
            found, epoch = oldest
            return turns.take(tx, found, epoch=epoch, owner=owner, lease_seconds=lease_seconds)
    if not waiting:
        return None
    # Whatever waits is locked just now: by another worker, or by a message that arrives.
    return turns.claim(tx, turn_id, owner=owner, lease_seconds=lease_seconds)


def who_waits(tx: Tx, *, after: UUID) -> list[UUID]:
    """Organizations with queued turns, the one whose turn it is first, then some more."""
    values = {
        "after": after,
        "most": _MOST_LOOKED_AT,
        "tried": _MOST_TRIED,
        "most_running": _MOST_RUNNING,
    }
    return list(tx.execute(_WHO_WAITS, values).scalars())


def lock_oldest_of(tx: Tx, organization_id: UUID) -> tuple[UUID, int] | None:
    """Lock the oldest queued turn that is not locked, and its head: the turn and its epoch."""
    values = {"organization_id": organization_id, "candidates": _CANDIDATES}
    row = tx.execute(_LOCK_OLDEST_OF, values).one_or_none()
    return None if row is None else (row.id, row.epoch)
