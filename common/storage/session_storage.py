"""What a session keeps by name beside its log: plain values, and secrets encrypted at rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text

from common.domain.errors import Conflict, EncryptionMissing, LeaseLost, NotFound
from common.domain.session_storage import (
    SESSION_SECRETS,
    SESSION_VALUES,
    SecretName,
    StoredValue,
)
from common.encryption import CannotDecrypt, EncryptionUnavailable, SecretBox
from common.storage import log
from common.storage.engine import Tx

_OURS: Final = "session_id = :session_id AND organization_id = :organization_id"
_SET_VALUE: Final = text("""
    INSERT INTO session_values (organization_id, session_id, key, value)
    VALUES (:organization_id, :session_id, :key, :value)
    ON CONFLICT (session_id, key) DO UPDATE
        SET value = excluded.value, updated_at = clock_timestamp()
""")
_GET_VALUE: Final = text(f"SELECT value FROM session_values WHERE {_OURS} AND key = :key")
_DELETE_VALUE: Final = text(f"DELETE FROM session_values WHERE {_OURS} AND key = :key")
_VALUES: Final = text(f"""
    SELECT key, value, created_at, updated_at FROM session_values
    WHERE {_OURS} AND key > :after ORDER BY key LIMIT :limit
""")
_KEYS: Final = text(f"SELECT key FROM session_values WHERE {_OURS} ORDER BY key")
_COUNT_VALUES: Final = text(f"SELECT count(*) FROM session_values WHERE {_OURS}")
_SET_SECRET: Final = text("""
    INSERT INTO session_secrets (organization_id, session_id, name, secret)
    VALUES (:organization_id, :session_id, :name, CAST(:secret AS jsonb))
    ON CONFLICT (session_id, name) DO UPDATE
        SET secret = excluded.secret, updated_at = clock_timestamp()
""")
_GET_SECRET: Final = text(f"SELECT secret FROM session_secrets WHERE {_OURS} AND name = :name")
_DELETE_SECRET: Final = text(f"DELETE FROM session_secrets WHERE {_OURS} AND name = :name")
_SECRETS: Final = text(f"""
    SELECT name, created_at, updated_at FROM session_secrets WHERE {_OURS} ORDER BY name
""")
_COUNT_SECRETS: Final = text(f"SELECT count(*) FROM session_secrets WHERE {_OURS}")


def purpose_of(session_id: UUID, name: str) -> str:
    """What a session's secret is encrypted for; it opens nowhere else."""
    return f"session-secret:{session_id}:{name}"


def lock(tx: Tx, organization_id: UUID, session_id: UUID, *, epoch: int | None = None) -> None:
    """Let one writer at a time change what the session keeps.

    Args:
        tx: the transaction of the change.
        organization_id: whose session it is.
        session_id: the session.
        epoch: the turn's hold on the session; None for a caller of the API.

    Raises:
        NotFound: there is no such session.
        LeaseLost: the turn does not hold it any more.
    """
    head = log.lock(tx, organization_id, session_id)
    if head is None:
        raise NotFound("Session not found")
    if epoch is not None and head.epoch != epoch:
        raise LeaseLost


def set_value(tx: Tx, organization_id: UUID, session_id: UUID, key: str, value: str) -> None:
    """Keep a value; the lock is held.

    Raises:
        Conflict: the session keeps too many.
    """
    named = _named(organization_id, session_id)
    tx.execute(_SET_VALUE, {**named, "key": key, "value": value})
    if tx.execute(_COUNT_VALUES, named).scalar_one() > SESSION_VALUES:
        raise Conflict(f"A session must not keep more than {SESSION_VALUES} values")


def get_value(tx: Tx, organization_id: UUID, session_id: UUID, key: str) -> str | None:
    """The value under a key."""
    found: str | None = tx.execute(
        _GET_VALUE, {**_named(organization_id, session_id), "key": key}
    ).scalar_one_or_none()
    return found


def delete_value(tx: Tx, organization_id: UUID, session_id: UUID, key: str) -> bool:
    """Whether there was one to forget."""
    named = {**_named(organization_id, session_id), "key": key}
    return tx.execute(_DELETE_VALUE, named).rowcount > 0


def keys(tx: Tx, organization_id: UUID, session_id: UUID) -> list[str]:
    """All keys, in order."""
    return list(tx.execute(_KEYS, _named(organization_id, session_id)).scalars())


def read_values(
    tx: Tx, organization_id: UUID, session_id: UUID, *, after: str, limit: int
) -> list[StoredValue]:
    """Values with a key beyond `after`, by key."""
    rows = tx.execute(
        _VALUES, {**_named(organization_id, session_id), "after": after, "limit": limit}
    )
    return [StoredValue(row.key, row.value, row.created_at, row.updated_at) for row in rows]


def set_secrets(
    tx: Tx, box: SecretBox, organization_id: UUID, session_id: UUID, secrets: Mapping[str, str]
) -> None:
    """Keep secrets, replacing those of the same names; the lock is held.

    Raises:
        EncryptionMissing: no master key is configured.
        Conflict: the session keeps too many.
    """
    named = _named(organization_id, session_id)
    for name, value in secrets.items():
        try:
            envelope = box.encrypt(value, purpose=purpose_of(session_id, name))
        except EncryptionUnavailable:
            raise EncryptionMissing(
                "Secrets cannot be stored: SECRETS_ENCRYPTION_KEY is not set"
            ) from None
        secret = orjson.dumps(envelope).decode()
        tx.execute(_SET_SECRET, {**named, "name": name, "secret": secret})
    if tx.execute(_COUNT_SECRETS, named).scalar_one() > SESSION_SECRETS:
        raise Conflict(f"A session must not keep more than {SESSION_SECRETS} secrets")


def get_secret(
    tx: Tx, box: SecretBox, organization_id: UUID, session_id: UUID, name: str
) -> str | None:
    """The secret itself.

    Raises:
        EncryptionMissing: no master key is configured, or not the one it was stored with.
    """
    envelope = tx.execute(
        _GET_SECRET, {**_named(organization_id, session_id), "name": name}
    ).scalar_one_or_none()
    if envelope is None:
        return None
    try:
        return box.decrypt(envelope, purpose=purpose_of(session_id, name))
    except EncryptionUnavailable:
        raise EncryptionMissing(
            "Secrets cannot be read: SECRETS_ENCRYPTION_KEY is not set"
        ) from None
    except CannotDecrypt:
        raise EncryptionMissing(
            "The secret cannot be read: its master key is not configured"
        ) from None


def delete_secret(tx: Tx, organization_id: UUID, session_id: UUID, name: str) -> bool:
    """Whether there was one to forget."""
    named = {**_named(organization_id, session_id), "name": name}
    return tx.execute(_DELETE_SECRET, named).rowcount > 0


def secret_names(tx: Tx, organization_id: UUID, session_id: UUID) -> list[SecretName]:
    """Which secrets there are, by name."""
    rows = tx.execute(_SECRETS, _named(organization_id, session_id))
    return [SecretName(row.name, row.created_at, row.updated_at) for row in rows]


def _named(organization_id: UUID, session_id: UUID) -> dict[str, object]:
    return {"organization_id": organization_id, "session_id": session_id}
