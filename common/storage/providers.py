"""Providers: an organization's own, and the built-in ones that everybody may use.

Writers hold `organizations.lock`, so a look-up before a write still holds at the write.
Built-in rows are never written here: every writing statement names the organization.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.provider import NewProvider, Provider, ProviderStatus
from common.encryption import Envelope
from common.storage.engine import Tx

_COLUMNS: Final = """
    id, organization_id, name, provider_type, base_url, api_key IS NOT NULL AS has_key,
    settings, status, last_synced_at, created_at, updated_at
"""
_VISIBLE: Final = "(organization_id = :organization_id OR organization_id IS NULL)"
_OURS: Final = "organization_id = :organization_id"

_FIND: Final = text(f"SELECT {_COLUMNS} FROM providers WHERE {_VISIBLE} AND id = :id")
_FIND_WITH_KEY: Final = text(
    f"SELECT {_COLUMNS}, api_key FROM providers WHERE {_VISIBLE} AND id = :id"
)
_FIND_ALL: Final = text(
    f"SELECT {_COLUMNS} FROM providers WHERE {_VISIBLE} ORDER BY organization_id NULLS FIRST, id"
)
_ALL_IDS: Final = text("SELECT id FROM providers ORDER BY id LIMIT :limit")
_HOLDER: Final = text(f"SELECT id FROM providers WHERE {_OURS} AND lower(name) = lower(:name)")
_COUNT: Final = text(f"SELECT count(*) FROM providers WHERE {_OURS}")

_INSERT: Final = text("""
    INSERT INTO providers (id, organization_id, name, provider_type, base_url, settings, status)
    VALUES (:id, :organization_id, :name, :provider_type, :base_url, CAST(:settings AS jsonb),
        :status)
""")
_UPDATE: Final = text(f"""
    UPDATE providers SET name = :name, base_url = :base_url,
        settings = CAST(:settings AS jsonb), status = :status, updated_at = clock_timestamp()
    WHERE {_OURS} AND id = :id
""")
_SET_KEY: Final = text(f"""
    UPDATE providers SET api_key = CAST(:api_key AS jsonb), updated_at = clock_timestamp()
    WHERE {_OURS} AND id = :id
""")
_SYNCED: Final = text(f"""
    UPDATE providers SET last_synced_at = clock_timestamp() WHERE {_OURS} AND id = :id
""")
_DELETE: Final = text(f"DELETE FROM providers WHERE {_OURS} AND id = :id")


@dataclass(frozen=True, slots=True)
class Keyed:
    """A provider with its key as it is stored, None when it has none."""

    provider: Provider
    envelope: Envelope | None = field(repr=False)


def find(tx: Tx, organization_id: UUID, provider_id: UUID) -> Provider | None:
    """The organization's provider, or a built-in one; None when there is none."""
    row = tx.execute(_FIND, {"organization_id": organization_id, "id": provider_id}).one_or_none()
    return None if row is None else _provider(row)


def find_with_key(tx: Tx, organization_id: UUID, provider_id: UUID) -> Keyed | None:
    """As `find`, for who is going to call it."""
    row = tx.execute(
        _FIND_WITH_KEY, {"organization_id": organization_id, "id": provider_id}
    ).one_or_none()
    return None if row is None else Keyed(_provider(row), row.api_key)


def find_all(tx: Tx, organization_id: UUID) -> list[Provider]:
    """The built-in ones, then the organization's own, oldest first."""
    return [_provider(row) for row in tx.execute(_FIND_ALL, {"organization_id": organization_id})]


def all_ids(tx: Tx, *, limit: int) -> list[UUID]:
    """Providers of all organizations, the oldest first: for who keeps the whole running."""
    return list(tx.execute(_ALL_IDS, {"limit": limit}).scalars())


def holder_of(tx: Tx, organization_id: UUID, name: str) -> UUID | None:
    """Which of the organization's own has the name, in any letter case."""
    found: UUID | None = tx.execute(
        _HOLDER, {"organization_id": organization_id, "name": name}
    ).scalar_one_or_none()
    return found


def count(tx: Tx, organization_id: UUID) -> int:
    """How many the organization has of its own."""
    number: int = tx.execute(_COUNT, {"organization_id": organization_id}).scalar_one()
    return number


def insert(tx: Tx, organization_id: UUID, provider_id: UUID, given: NewProvider) -> None:
    """Store a new one, without its key."""
    tx.execute(
        _INSERT,
        {
            "id": provider_id,
            "organization_id": organization_id,
            "name": given.name,
            "provider_type": given.provider_type,
            "base_url": given.base_url,
            "settings": _json(given.settings),
            "status": given.status,
        },
    )


def update(
    tx: Tx,
    organization_id: UUID,
    provider_id: UUID,
    *,
    name: str,
    base_url: str | None,
    settings: dict[str, Any],
    status: ProviderStatus,
) -> None:
    """Change what is not its key."""
    tx.execute(
        _UPDATE,
        {
            "id": provider_id,
            "organization_id": organization_id,
            "name": name,
            "base_url": base_url,
            "settings": _json(settings),
            "status": status,
        },
    )


def set_key(tx: Tx, organization_id: UUID, provider_id: UUID, envelope: Envelope | None) -> None:
    """Store the encrypted key, or remove it."""
    tx.execute(
        _SET_KEY,
        {
            "id": provider_id,
            "organization_id": organization_id,
            "api_key": None if envelope is None else _json(envelope),
        },
    )


def note_synced(tx: Tx, organization_id: UUID, provider_id: UUID) -> None:
    """Its list of models was read now."""
    tx.execute(_SYNCED, {"organization_id": organization_id, "id": provider_id})


def delete(tx: Tx, organization_id: UUID, provider_id: UUID) -> None:
    """Remove it with its key and its models; nothing of them stays."""
    tx.execute(_DELETE, {"organization_id": organization_id, "id": provider_id})


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _provider(row: Row[Any]) -> Provider:
    return Provider(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        provider_type=row.provider_type,
        base_url=row.base_url,
        has_key=row.has_key,
        settings=row.settings,
        status=ProviderStatus(row.status),
        last_synced_at=row.last_synced_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
