"""Turns: opening, claiming, renewing, ending, and what the sweeper asks.

Locks are taken head first, then turn, everywhere; the sweeper and the heartbeat
skip what is locked instead of waiting for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from common.domain.turn import Claim, TurnStatus
from common.storage.engine import Tx
from common.storage.prepared import Prepared
from common.storage.webhook_outbox import TELL_WEBHOOKS

FIRST_RESEND_SECONDS: Final = 5
LONGEST_RESEND_SECONDS: Final = 300
# The loss of a turn whose worker fell silent; others name what broke.
WORKER_LOST: Final = "worker_lost"


@dataclass(frozen=True, slots=True)
class Queued:
    """A turn that waits for a worker and is to be sent to the queue.

    Attributes:
        attempt: how often it has been claimed.
    """

    turn_id: UUID
    priority: int
    session_id: UUID
    organization_id: UUID
    attempt: int


_OPEN: Final = Prepared(
    "everturn_open_turn",
    """
    INSERT INTO turns (id, session_id, organization_id, input_sequence, sends, available_at)
    VALUES (:id, :session_id, :organization_id, :input_sequence, 1,
        clock_timestamp() + make_interval(secs => :resend))
    """,
    id="uuid",
    session_id="uuid",
    organization_id="uuid",
    input_sequence="int",
    resend="float8",
)


# Compared so that no partial index answers it.  A plan that was made while hardly any turn was
# open would read all that are, on every claim, for as long as its connection lives.
IS_QUEUED: Final = "t.status || '' = 'queued'"


def taking(name: str, held: str, **types: str) -> Prepared:
    """The statement that takes a turn under a new epoch, its fence with it.

    `held` is the query that says which turn (`turn_id`) and what epoch its session had
    (`epoch`), the session's head being locked by it or by the caller.  The statement has no row
    when that has none, else one for `taken`.
    """
    return Prepared(
        name,
        f"""
        WITH held AS (
            {held}
        ), claimed AS (
            UPDATE turns t SET
                status = 'running', epoch = held.epoch + 1, attempt = t.attempt + 1,
                reclaims = t.reclaims
                    + CASE WHEN t.attempt > 0 AND NOT t.handed_over THEN 1 ELSE 0 END,
                handed_over = false, sends = 0, lease_owner = :owner,
                lease_until = clock_timestamp() + make_interval(secs => :lease),
                started_at = coalesce(t.started_at, clock_timestamp())
            FROM held WHERE t.id = held.turn_id AND {IS_QUEUED}
            RETURNING t.id, t.session_id, t.organization_id, t.epoch, t.attempt, t.reclaims,
                t.input_sequence,
                CAST(extract(epoch FROM clock_timestamp() - t.created_at) AS float) AS age_seconds
        ), fenced AS (
            UPDATE session_heads h SET epoch = c.epoch
            FROM claimed c WHERE h.session_id = c.session_id RETURNING h.last_input_sequence
        )
        SELECT c.*, e.data #>> '{{message,id}}' AS input_message_id,
            e.private ->> 'traceparent' AS traceparent, (
            SELECT coalesce(nullif(n.data #> '{{message,controls}}', 'null'), '{{}}')
            FROM events n WHERE n.session_id = c.session_id
                AND n.sequence = (SELECT f.last_input_sequence FROM fenced f)
        ) AS controls
        FROM held LEFT JOIN (
            claimed c JOIN events e ON e.session_id = c.session_id AND e.sequence = c.input_sequence
        ) ON true
        """,
        **types,
        owner="text",
        lease="float8",
    )


_CLAIM: Final = taking(
    "everturn_claim",
    f"""
    SELECT t.id AS turn_id, h.epoch
    FROM session_heads h JOIN turns t ON t.session_id = h.session_id
    WHERE t.id = :turn_id AND {IS_QUEUED} AND h.open_turn_id = t.id
    FOR UPDATE OF h
    """,
    turn_id="uuid",
)

_TAKE: Final = taking(
    "everturn_take", "SELECT :turn_id AS turn_id, :epoch AS epoch", turn_id="uuid", epoch="bigint"
)

_NEWEST_CONTROLS: Final = text("""
    SELECT e.data #> '{message,controls}' FROM session_heads h
    JOIN events e ON e.session_id = h.session_id AND e.sequence = h.last_input_sequence
    WHERE h.session_id = :session_id
""")

# Ends a turn that is open: `changed` of `TELL_WEBHOOKS`.  `only` is a further condition; the
# status is compared as in `IS_QUEUED`.
ENDED: Final = """changed AS (
        UPDATE turns SET status = :ended_as, ended_at = clock_timestamp(), lease_owner = NULL,
            lease_until = NULL
        WHERE id = :turn_id AND status || '' IN ('queued', 'running', 'waiting') {only}
        RETURNING id, session_id, organization_id, status, input_sequence AS sequence
    )"""
ENDED_TYPES: Final = {"turn_id": "uuid", "ended_as": "text"}

_END: Final = Prepared(
    "everturn_end_turn", f"WITH {ENDED.format(only='')} {TELL_WEBHOOKS}", **ENDED_TYPES
)

_PROGRESS: Final = text("UPDATE turns SET reclaims = 0 WHERE id = :turn_id AND epoch = :epoch")

_RENEW: Final = text("""
    WITH mine AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS bigint[])) AS m (id, epoch)
    ), free AS (
        SELECT t.id FROM turns t JOIN mine m ON m.id = t.id AND m.epoch = t.epoch
        WHERE t.status = 'running' FOR UPDATE OF t SKIP LOCKED
    ), renewed AS (
        UPDATE turns t SET lease_until = clock_timestamp() + make_interval(secs => :lease)
        FROM free WHERE t.id = free.id RETURNING t.id
    )
    SELECT m.id, m.id IN (SELECT id FROM renewed) AS renewed
    FROM mine m JOIN turns t ON t.id = m.id AND t.epoch = m.epoch AND t.status = 'running'
""")

_HAND_OVER: Final = text("""
    UPDATE turns SET status = 'queued', handed_over = true, epoch = :epoch, lease_owner = NULL,
        lease_until = NULL, sends = 1,
        available_at = clock_timestamp() + make_interval(secs => :resend)
    WHERE id = :turn_id AND status = 'running'
""")

# Whoever waits holds no lease, and no worker knows of it.
_SUSPEND: Final = text(f"""
    WITH changed AS (
        UPDATE turns SET status = 'waiting', waiting_sequence = :sequence, waiting_until = :until,
            lease_owner = NULL, lease_until = NULL, reclaims = 0
        WHERE id = :turn_id AND status = 'running'
        RETURNING id, session_id, organization_id, status, waiting_sequence AS sequence
    )
    {TELL_WEBHOOKS}
""")

# What was waited for is progress, and the claim that follows takes nothing from anybody.
_RESUME: Final = text("""
    UPDATE turns SET status = 'queued', handed_over = true, reclaims = 0, epoch = :epoch,
        waiting_sequence = NULL, waiting_until = NULL, sends = 1,
        available_at = clock_timestamp() + make_interval(secs => :resend)
    WHERE id = :turn_id AND status = 'waiting'
""")

# The last ten are kept.  `epoch` is the lost hold's, so that one loss is told once.
_WITH_LOSS: Final = """
    (CASE WHEN jsonb_array_length(t.losses) >= 10 THEN t.losses - 0 ELSE t.losses END)
        || jsonb_build_object('epoch', t.epoch, 'worker', t.lease_owner,
            'at', clock_timestamp(), 'error', CAST(:error AS text), 'place', CAST(:place AS text))
"""

_NOTE_CRASH: Final = text(f"""
    UPDATE turns t SET losses = {_WITH_LOSS}
    WHERE id = :turn_id AND epoch = :epoch AND status = 'running'
""")

_REQUEUE_EXPIRED: Final = text(f"""
    WITH expired AS (
        SELECT t.id, t.session_id FROM turns t JOIN session_heads h ON h.session_id = t.session_id
        WHERE t.status = 'running'
            AND t.lease_until < clock_timestamp() - make_interval(secs => :grace)
        ORDER BY t.lease_until LIMIT :limit
        FOR UPDATE OF h, t SKIP LOCKED
    ), fenced AS (
        UPDATE session_heads h SET epoch = h.epoch + 1
        FROM expired e WHERE h.session_id = e.session_id
        RETURNING h.session_id, h.epoch
    )
    UPDATE turns t SET status = 'queued', epoch = f.epoch, lease_owner = NULL,
        lease_until = NULL, available_at = clock_timestamp(), sends = 0,
        losses = CASE WHEN t.losses -> -1 ->> 'epoch' = CAST(t.epoch AS text) THEN t.losses
            ELSE {_WITH_LOSS} END
    FROM expired e JOIN fenced f ON f.session_id = e.session_id
    WHERE t.id = e.id
    RETURNING t.id
""")

_TAKE_DUE: Final = text("""
    UPDATE turns t SET sends = sends + 1, available_at = clock_timestamp() + make_interval(
        secs => least(:first * power(2, least(sends, 10)), :longest))
    FROM (
        SELECT id FROM turns WHERE status = 'queued'
            AND available_at <= clock_timestamp() + make_interval(secs => :ahead)
        ORDER BY available_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ) due
    WHERE t.id = due.id
    RETURNING t.id, t.priority, t.session_id, t.organization_id, t.attempt
""")


_TAKE_BACK_SEND: Final = text("""
    UPDATE turns SET sends = greatest(sends - 1, 0),
        available_at = clock_timestamp() + make_interval(secs => :first)
    WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'queued'
""")


def open_turn(
    tx: Tx, turn_id: UUID, *, session_id: UUID, organization_id: UUID, input_sequence: int
) -> None:
    """Queue a new turn; the caller holds the head and sends it after the commit."""
    _OPEN.on(
        tx,
        {
            "id": turn_id,
            "session_id": session_id,
            "organization_id": organization_id,
            "input_sequence": input_sequence,
            "resend": FIRST_RESEND_SECONDS,
        },
    )


def claim(tx: Tx, turn_id: UUID, *, owner: str, lease_seconds: float) -> Claim | None:
    """Take a queued turn under a new epoch; None when there is nothing to take.

    The new epoch fences off whoever held the session before (I3).
    """
    values = {"turn_id": turn_id, "owner": owner, "lease": lease_seconds}
    row = _CLAIM.one(tx, values)
    return None if row is None else taken(tx, row)


def take(tx: Tx, turn_id: UUID, *, epoch: int, owner: str, lease_seconds: float) -> Claim | None:
    """As `claim`, of a turn whose session's head, at this epoch, the caller has locked."""
    values = {"turn_id": turn_id, "epoch": epoch, "owner": owner, "lease": lease_seconds}
    return taken(tx, _TAKE.one(tx, values))


def taken(tx: Tx, row: Any) -> Claim | None:
    """What a statement of `taking` took; None when another one had taken it."""
    if row.id is None:
        return None
    controls = row.controls
    if controls is None:
        # A message was being stored while the statement waited for the head: it does not see it.
        controls = newest_controls(tx, row.session_id)
    return Claim(
        turn_id=row.id,
        session_id=row.session_id,
        organization_id=row.organization_id,
        epoch=row.epoch,
        attempt=row.attempt,
        reclaims=row.reclaims,
        input_sequence=row.input_sequence,
        input_message_id=row.input_message_id,
        controls=controls,
        age_seconds=row.age_seconds,
        traceparent=row.traceparent,
    )


def newest_controls(tx: Tx, session_id: UUID) -> dict[str, Any]:
    """What the newest user message of a session asks of the generation."""
    found = tx.execute(_NEWEST_CONTROLS, {"session_id": session_id}).scalar_one_or_none()
    controls: dict[str, Any] = found or {}
    return controls


def end(tx: Tx, turn_id: UUID, status: TurnStatus) -> None:
    """Close an open turn; the caller holds the head."""
    _END.on(tx, {"turn_id": turn_id, "ended_as": status})


def record_progress(tx: Tx, turn_id: UUID, *, epoch: int) -> None:
    """Forget earlier reclaims: the turn got further."""
    tx.execute(_PROGRESS, {"turn_id": turn_id, "epoch": epoch})


def renew(tx: Tx, held: Mapping[UUID, int], *, lease_seconds: float) -> tuple[set[UUID], set[UUID]]:
    """Prolong the leases of `held` (turn id to epoch), also expired ones nobody took.

    Returns the turns that were renewed and the turns that are lost.  One whose row
    is locked just now is in neither: its own append is under way.
    """
    rows = tx.execute(
        _RENEW,
        {
            "ids": [str(turn_id) for turn_id in held],
            "epochs": list(held.values()),
            "lease": lease_seconds,
        },
    ).all()
    present = {row.id for row in rows}
    return {row.id for row in rows if row.renewed}, set(held) - present


def hand_over(tx: Tx, turn_id: UUID, *, epoch: int) -> None:
    """Give a running turn back to the queue; the caller raised the head's epoch to `epoch`."""
    tx.execute(_HAND_OVER, {"turn_id": turn_id, "epoch": epoch, "resend": FIRST_RESEND_SECONDS})


def suspend(tx: Tx, turn_id: UUID, *, sequence: int, until: datetime) -> None:
    """Let a running turn wait for what the event at `sequence` asks; the caller holds the head."""
    tx.execute(_SUSPEND, {"turn_id": turn_id, "sequence": sequence, "until": until})


def resume(tx: Tx, turn_id: UUID, *, epoch: int) -> None:
    """Queue a waiting turn; the caller raised the head's epoch to `epoch` and sends the turn."""
    tx.execute(_RESUME, {"turn_id": turn_id, "epoch": epoch, "resend": FIRST_RESEND_SECONDS})


def requeue_expired(tx: Tx, *, limit: int, grace_seconds: float = 0.0) -> Sequence[UUID]:
    """Take turns from workers whose lease ran out, so long ago, and queue them again."""
    values = {"limit": limit, "grace": grace_seconds, "error": WORKER_LOST, "place": None}
    return list(tx.execute(_REQUEUE_EXPIRED, values).scalars())


def note_crash(tx: Tx, turn_id: UUID, *, epoch: int, error: str, place: str) -> None:
    """Keep what broke the turn on its worker: a class and a place, no content (I10)."""
    values = {"turn_id": turn_id, "epoch": epoch, "error": error, "place": place}
    tx.execute(_NOTE_CRASH, values)


def take_due(tx: Tx, *, limit: int, ahead_seconds: float = 0.0) -> Sequence[Queued]:
    """Queued turns whose time has come, each postponed with back-off (5 s doubling to 5 min).

    With `ahead_seconds` also those whose time comes so soon.
    """
    rows = tx.execute(
        _TAKE_DUE,
        {
            "first": FIRST_RESEND_SECONDS,
            "longest": LONGEST_RESEND_SECONDS,
            "ahead": ahead_seconds,
            "limit": limit,
        },
    )
    return [
        Queued(row.id, row.priority, row.session_id, row.organization_id, row.attempt)
        for row in rows
    ]


def take_back_send(tx: Tx, turn_ids: Sequence[UUID]) -> None:
    """These could not be sent after all: try again soon, and do not count it."""
    ids = [str(turn_id) for turn_id in turn_ids]
    tx.execute(_TAKE_BACK_SEND, {"ids": ids, "first": FIRST_RESEND_SECONDS})
