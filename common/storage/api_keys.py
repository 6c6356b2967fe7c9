"""API keys: found by the digest of their text, used, revoked.

Whether a key has expired is asked of the database's clock alone; a process counts from
there (`seconds_left`), so that hosts need not agree on the time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.access import ApiKey, Grants, Role
from common.storage.engine import Tx

_COLUMNS: Final = """
    id, organization_id, principal_id, agent_id, name, prefix, scopes, created_at, expires_at,
    last_used_at
"""
_LEFT: Final = "CAST(extract(epoch FROM expires_at - clock_timestamp()) AS float) AS seconds_left"
_IS_GOOD: Final = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())"
# What its user is in the organization now; null: it is no user's.
_ROLE: Final = """
    (SELECT m.role FROM organization_members m WHERE m.organization_id = api_keys.organization_id
        AND m.user_id = api_keys.principal_id) AS role
"""
# A user's key is good only while they belong to the organization.
_IS_OF_MEMBER: Final = """
    NOT EXISTS (SELECT 1 FROM users u WHERE u.id = api_keys.principal_id
        AND (u.disabled_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM organization_members m
            WHERE m.user_id = u.id AND m.organization_id = api_keys.organization_id)))
"""
_FIND: Final = text(f"""
    SELECT {_COLUMNS}, digest, {_LEFT}, {_ROLE} FROM api_keys
    WHERE digest = :digest AND {_IS_GOOD} AND {_IS_OF_MEMBER}
""")
_STILL_GOOD: Final = text(f"""
    SELECT id, {_LEFT}, {_ROLE} FROM api_keys
    WHERE id = ANY(CAST(:ids AS uuid[])) AND {_IS_GOOD} AND {_IS_OF_MEMBER}
""")
_NOTE_USE: Final = text("""
    UPDATE api_keys SET last_used_at = clock_timestamp()
    WHERE id = ANY(ARRAY(
        SELECT id FROM api_keys
        WHERE id = ANY(CAST(:ids AS uuid[])) AND (last_used_at IS NULL
            OR last_used_at < clock_timestamp() - make_interval(secs => :at_least))
        FOR NO KEY UPDATE SKIP LOCKED))
""")
_INSERT: Final = text(f"""
    INSERT INTO api_keys (id, organization_id, principal_id, agent_id, name, digest, prefix, scopes,
        expires_at)
    VALUES (:id, :organization_id, :principal_id, :agent_id, :name, :digest, :prefix,
        CAST(:scopes AS jsonb),
        least(clock_timestamp() + CAST(:lasts AS interval),
            (SELECT expires_at FROM api_keys WHERE id = CAST(:made_with AS uuid))))
    RETURNING {_COLUMNS}
""")
_REVOKE: Final = text("""
    UPDATE api_keys SET revoked_at = clock_timestamp()
    WHERE id = :id AND revoked_at IS NULL
        AND (CAST(:organization_id AS uuid) IS NULL
            OR organization_id = :organization_id
                AND (principal_id = :principal_id OR agent_id IS NOT NULL))
    RETURNING organization_id
""")
_REVOKE_ALL: Final = text("""
    UPDATE api_keys SET revoked_at = clock_timestamp()
    WHERE principal_id = :principal_id AND revoked_at IS NULL
        AND (CAST(:organization_id AS uuid) IS NULL OR organization_id = :organization_id)
    RETURNING id
""")
_WITHIN_REACH: Final = text(f"""
    SELECT {_COLUMNS} FROM api_keys
    WHERE organization_id = :organization_id
        AND (principal_id = :principal_id OR agent_id IS NOT NULL) AND revoked_at IS NULL
    ORDER BY created_at, id
""")
_ALL: Final = text(
    f"SELECT {_COLUMNS} FROM api_keys WHERE revoked_at IS NULL ORDER BY created_at, id"
)


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that is good just now.

    Attributes:
        seconds_left: until it expires; None: never.
    """

    key: ApiKey
    digest: str
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with a key that is good just now.

    Attributes:
        seconds_left: until it expires; None: never.
        role: of the user whose key it is; None: no user's.
    """

    seconds_left: float | None
    role: Role | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to keep.

    Attributes:
        lasts: None: for ever.
        made_with: the key that it ends with at the latest, if one made it.
    """

    id: UUID
    organization_id: UUID
    principal_id: UUID
    name: str
    digest: str
    prefix: str
    grants: Grants
    lasts: timedelta | None
    agent_id: UUID | None = None
    made_with: UUID | None = None


def find(tx: Tx, digest: str) -> FoundKey | None:
    """The key whose text has this digest; None when there is none that is good."""
    row = tx.execute(_FIND, {"digest": digest}).one_or_none()
    if row is None:
        return None
    return FoundKey(replace(_key(row), role=_role(row)), row.digest, row.seconds_left)


def still_good(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Those of the keys that are good just now."""
    rows = tx.execute(_STILL_GOOD, {"ids": _shown(ids)})
    return {row.id: Standing(row.seconds_left, _role(row)) for row in rows}


def note_use(tx: Tx, ids: Collection[UUID], *, at_least: float) -> None:
    """The keys were used just now; nothing is written for one noted `at_least` seconds ago."""
    tx.execute(_NOTE_USE, {"ids": _shown(ids), "at_least": at_least})


def insert(tx: Tx, new: NewKey) -> ApiKey:
    """Keep a key; it is good at once."""
    row = tx.execute(
        _INSERT,
        {
            "id": new.id,
            "organization_id": new.organization_id,
            "principal_id": new.principal_id,
            "agent_id": new.agent_id,
            "name": new.name,
            "digest": new.digest,
            "prefix": new.prefix,
            "scopes": orjson.dumps(new.grants.names).decode(),
            "lasts": new.lasts,
            "made_with": new.made_with,
        },
    ).one()
    return _key(row)


def revoke(tx: Tx, key_id: UUID) -> UUID | None:
    """Let a key open nothing any more; returns whose it was, None when there is none to revoke."""
    values = {"id": key_id, "organization_id": None, "principal_id": None}
    found: UUID | None = tx.execute(_REVOKE, values).scalar_one_or_none()
    return found


def revoke_within_reach(tx: Tx, organization_id: UUID, principal_id: UUID, key_id: UUID) -> bool:
    """As `revoke`, only for a key of that principal or of an agent, in that organization."""
    values = {
        "id": key_id,
        "organization_id": organization_id,
        "principal_id": principal_id,
    }
    return tx.execute(_REVOKE, values).one_or_none() is not None


def revoke_all(tx: Tx, principal_id: UUID, *, organization_id: UUID | None = None) -> list[UUID]:
    """Revoke the keys of one principal, everywhere or in one organization; returns which."""
    values = {"principal_id": principal_id, "organization_id": organization_id}
    return [row.id for row in tx.execute(_REVOKE_ALL, values)]


def within_reach(tx: Tx, organization_id: UUID, principal_id: UUID) -> list[ApiKey]:
    """The keys of one principal and of the organization's agents, oldest first; none revoked."""
    values = {"organization_id": organization_id, "principal_id": principal_id}
    return [_key(row) for row in tx.execute(_WITHIN_REACH, values)]


def find_all(tx: Tx) -> list[ApiKey]:
    """Every key that is not revoked, oldest first."""
    return [_key(row) for row in tx.execute(_ALL)]


def _shown(ids: Collection[UUID]) -> list[str]:
    return [str(each) for each in ids]


def _role(row: Row[Any]) -> Role | None:
    return None if row.role is None else Role(row.role)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        organization_id=row.organization_id,
        principal_id=row.principal_id,
        agent_id=row.agent_id,
        name=row.name,
        prefix=row.prefix,
        grants=Grants(tuple(row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
