"""Idempotency keys: the first insert of the transaction whose effect they name (design 3).

A concurrent repeat waits on that insert and then answers from the first; a failed
request rolls back and leaves no key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.domain.errors import IdempotencyKeyReused
from common.storage.engine import Tx


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key with what it is bound to; `body_hash` tells another body apart.

    Attributes:
        route: the route's template, not the path.
        scope: the id in the path, such as the session's, or "".
    """

    organization_id: UUID
    method: str
    route: str
    scope: str
    key: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What the first request with the key led to."""

    resource_id: str
    status_code: int


_INSERT: Final = text("""
    INSERT INTO idempotency_keys (organization_id, method, route, scope, key, body_hash,
        resource_id, status_code)
    VALUES (:organization_id, :method, :route, :scope, :key, :body_hash, :resource_id,
        :status_code)
    ON CONFLICT DO NOTHING
    RETURNING key
""")

_FIND: Final = text("""
    SELECT body_hash, resource_id, status_code FROM idempotency_keys
    WHERE organization_id = :organization_id AND method = :method AND route = :route
        AND scope = :scope AND key = :key
""")

_SETTLE: Final = text("""
    UPDATE idempotency_keys SET resource_id = :resource_id, status_code = :status_code
    WHERE organization_id = :organization_id AND method = :method AND route = :route
        AND scope = :scope AND key = :key
""")

# By `now()`, as an index can: the time of each row's look would have all of them read.
_FORGET: Final = text("""
    DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency_keys
        WHERE created_at < now() - make_interval(hours => :hours) LIMIT :limit))
""")


def first_answer(
    tx: Tx, key: IdempotencyKey, *, resource_id: str, status_code: int
) -> FirstAnswer | None:
    """Take the key, saying what the effect will be; the earlier answer when it is taken.

    Raises:
        IdempotencyKeyReused: the key was used with another body.
    """
    named = _named(key)
    taken = tx.execute(
        _INSERT,
        {
            **named,
            "body_hash": key.body_hash,
            "resource_id": resource_id,
            "status_code": status_code,
        },
    ).one_or_none()
    if taken is not None:
        return None
    row = tx.execute(_FIND, named).one()
    if row.body_hash != key.body_hash:
        raise IdempotencyKeyReused("This Idempotency-Key was used with another request body")
    return FirstAnswer(row.resource_id, row.status_code)


def settle(tx: Tx, key: IdempotencyKey, *, resource_id: str, status_code: int) -> None:
    """Correct what the key stands for, when only the effect itself could tell."""
    tx.execute(_SETTLE, {**_named(key), "resource_id": resource_id, "status_code": status_code})


def forget_old(tx: Tx, *, hours: int, limit: int) -> int:
    """Delete keys that have had their time; returns how many."""
    return tx.execute(_FORGET, {"hours": hours, "limit": limit}).rowcount


def _named(key: IdempotencyKey) -> dict[str, object]:
    return {
        "organization_id": key.organization_id,
        "method": key.method,
        "route": key.route,
        "scope": key.scope,
        "key": key.key,
    }
