"""Models of an organization's providers, and of the built-in ones that everybody may use.

Writers hold `organizations.lock`.  Built-in rows are never written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.provider import ListedModel, ProvidedModel
from common.storage.engine import Tx

_SELECT: Final = """
    SELECT m.id, m.organization_id, m.provider_id, p.name AS provider_name, p.provider_type,
        p.status = 'active' AS provider_is_active, p.base_url AS provider_base_url,
        p.api_key IS NOT NULL AS provider_has_key, m.model_id, m.display_name, m.capabilities,
        m.enabled, m.is_favorite, m.source, m.stale_since, m.profile, m.settings, m.created_at,
        m.updated_at
    FROM models m JOIN providers p ON p.id = m.provider_id
    WHERE (m.organization_id = :organization_id OR m.organization_id IS NULL)
"""

_FIND: Final = text(f"{_SELECT} AND m.id = :id")
_FIND_BY_NAME: Final = text(f"{_SELECT} AND m.provider_id = :provider_id AND m.model_id = :name")
_FIND_ALL: Final = text(f"""{_SELECT}
    AND (CAST(:provider_id AS uuid) IS NULL OR m.provider_id = CAST(:provider_id AS uuid))
    AND (CAST(:source AS text) IS NULL OR m.source = :source)
    AND (:include_stale OR m.stale_since IS NULL)
    AND (NOT :favorites_only OR m.is_favorite)
    ORDER BY m.organization_id NULLS FIRST, m.provider_id, m.id
""")
_COUNT: Final = text(
    "SELECT count(*) FROM models"
    " WHERE organization_id = :organization_id AND provider_id = :provider_id"
)

_INSERT: Final = text("""
    INSERT INTO models (id, organization_id, provider_id, provider_type, model_id, display_name,
        capabilities, enabled, is_favorite, profile, settings, source)
    SELECT :id, organization_id, id, provider_type, :model_id, :display_name,
        CAST(:capabilities AS jsonb), :enabled, :is_favorite, CAST(:profile AS jsonb),
        CAST(:settings AS jsonb), 'manual'
    FROM providers WHERE id = :provider_id AND organization_id = :organization_id
""")
_UPDATE: Final = text("""
    UPDATE models SET model_id = :model_id, display_name = :display_name,
        capabilities = CAST(:capabilities AS jsonb), enabled = :enabled,
        is_favorite = :is_favorite, profile = CAST(:profile AS jsonb),
        settings = CAST(:settings AS jsonb), updated_at = clock_timestamp()
    WHERE id = :id AND organization_id = :organization_id
""")
_DELETE: Final = text("DELETE FROM models WHERE id = :id AND organization_id = :organization_id")

# What somebody wrote stays; the list brings back what had vanished and fills a gap.
_KEEP_LISTED: Final = text("""
    INSERT INTO models AS m (id, organization_id, provider_id, provider_type, model_id,
        display_name, profile, source)
    SELECT l.id, p.organization_id, p.id, p.provider_type, l.model_id, l.display_name, l.profile,
        'discovered'
    FROM jsonb_to_recordset(CAST(:listed AS jsonb))
            AS l(id uuid, model_id text, display_name text, profile jsonb),
        providers p
    WHERE p.id = :provider_id AND p.organization_id = :organization_id
    ON CONFLICT (provider_id, model_id) DO UPDATE SET
        stale_since = NULL, profile = coalesce(m.profile, excluded.profile),
        updated_at = CASE WHEN m.stale_since IS NULL THEN m.updated_at
            ELSE clock_timestamp() END
    RETURNING xmax = 0 AS is_new
""")
_MARK_STALE: Final = text("""
    UPDATE models SET stale_since = clock_timestamp(), updated_at = clock_timestamp()
    WHERE organization_id = :organization_id AND provider_id = :provider_id
        AND source = 'discovered' AND stale_since IS NULL
        AND model_id NOT IN (SELECT jsonb_array_elements_text(CAST(:names AS jsonb)))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFields:
    """What a caller writes of a model."""

    model_id: str
    display_name: str
    capabilities: list[str]
    enabled: bool
    is_favorite: bool
    profile: dict[str, Any] | None
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Synced:
    """What a provider's list changed; `updated` counts those that were there already."""

    created: int
    updated: int
    stale: int


def find(tx: Tx, organization_id: UUID, model_id: UUID) -> ProvidedModel | None:
    """The organization's model, or a built-in one; None when there is none."""
    row = tx.execute(_FIND, {"organization_id": organization_id, "id": model_id}).one_or_none()
    return None if row is None else _model(row)


def find_by_name(
    tx: Tx, organization_id: UUID, provider_id: UUID, name: str
) -> ProvidedModel | None:
    """The provider's model of that name."""
    named = {"organization_id": organization_id, "provider_id": provider_id, "name": name}
    row = tx.execute(_FIND_BY_NAME, named).one_or_none()
    return None if row is None else _model(row)


def find_all(
    tx: Tx,
    organization_id: UUID,
    *,
    provider_id: UUID | None = None,
    source: str | None = None,
    include_stale: bool = False,
    favorites_only: bool = False,
) -> list[ProvidedModel]:
    """The built-in ones, then the organization's own; together by provider, oldest first."""
    named = {
        "organization_id": organization_id,
        "provider_id": provider_id,
        "source": source,
        "include_stale": include_stale,
        "favorites_only": favorites_only,
    }
    return [_model(row) for row in tx.execute(_FIND_ALL, named)]


def count(tx: Tx, organization_id: UUID, provider_id: UUID) -> int:
    """How many a provider of the organization has."""
    named = {"organization_id": organization_id, "provider_id": provider_id}
    number: int = tx.execute(_COUNT, named).scalar_one()
    return number


def insert(
    tx: Tx, organization_id: UUID, provider_id: UUID, model_id: UUID, given: ModelFields
) -> None:
    """Store a new model of one of the organization's own providers."""
    tx.execute(
        _INSERT,
        {
            **_values(given),
            "id": model_id,
            "organization_id": organization_id,
            "provider_id": provider_id,
        },
    )


def update(tx: Tx, organization_id: UUID, model_id: UUID, given: ModelFields) -> None:
    """Replace what a caller wrote."""
    tx.execute(_UPDATE, {**_values(given), "id": model_id, "organization_id": organization_id})


def delete(tx: Tx, organization_id: UUID, model_id: UUID) -> None:
    """Remove a model; who names it finds it missing."""
    tx.execute(_DELETE, {"id": model_id, "organization_id": organization_id})


def keep_listed(
    tx: Tx,
    organization_id: UUID,
    provider_id: UUID,
    listed: Sequence[ListedModel],
    *,
    new_id: Callable[[], UUID],
) -> Synced:
    """Store what a provider's list has, and mark as stale what it has no more."""
    named = {"organization_id": organization_id, "provider_id": provider_id}
    rows = [
        {
            "id": str(new_id()),
            "model_id": each.model_id,
            "display_name": each.display_name,
            "profile": each.profile,
        }
        for each in listed
    ]
    are_new = [row.is_new for row in tx.execute(_KEEP_LISTED, {**named, "listed": _json(rows)})]
    names = _json([each.model_id for each in listed])
    vanished = tx.execute(_MARK_STALE, {**named, "names": names}).rowcount
    created = are_new.count(True)
    return Synced(created=created, updated=len(are_new) - created, stale=vanished)


def _values(given: ModelFields) -> dict[str, Any]:
    return {
        "model_id": given.model_id,
        "display_name": given.display_name,
        "capabilities": _json(given.capabilities),
        "enabled": given.enabled,
        "is_favorite": given.is_favorite,
        "profile": None if given.profile is None else _json(given.profile),
        "settings": _json(given.settings),
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _model(row: Row[Any]) -> ProvidedModel:
    return ProvidedModel(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
