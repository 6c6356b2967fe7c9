"""Organizations: which there are, and taking turns in changing what one has by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.identity import Organization
from common.storage.engine import Tx

_COLUMNS: Final = "o.id, o.name, o.default_model_id, o.created_at, o.updated_at"
_EXISTS: Final = text("SELECT 1 FROM organizations WHERE id = :id")
# NO KEY: foreign keys, so sessions and turns, are not held up by it.
_LOCK: Final = text("SELECT 1 FROM organizations WHERE id = :id FOR NO KEY UPDATE")
_FIND: Final = text(f"SELECT {_COLUMNS} FROM organizations o WHERE o.id = :id")
_ALL: Final = text(f"SELECT {_COLUMNS} FROM organizations o ORDER BY o.created_at, o.id")
_OF_USER: Final = text(f"""
    SELECT {_COLUMNS} FROM organizations o
    JOIN organization_members m ON m.organization_id = o.id
    WHERE m.user_id = :user_id ORDER BY o.created_at, o.id
""")
_INSERT: Final = text(f"""
    INSERT INTO organizations AS o (id, name) VALUES (:id, :name) RETURNING {_COLUMNS}
""")
_UPDATE: Final = text(f"""
    UPDATE organizations o SET updated_at = clock_timestamp(),
        name = CASE WHEN :sets_name THEN :name ELSE o.name END,
        default_model_id = CASE WHEN :sets_model THEN :default_model_id ELSE o.default_model_id END
    WHERE o.id = :id
    RETURNING {_COLUMNS}
""")


def exists(tx: Tx, organization_id: UUID) -> bool:
    """Whether there is such an organization."""
    return tx.execute(_EXISTS, {"id": organization_id}).one_or_none() is not None


def lock(tx: Tx, organization_id: UUID) -> None:
    """Let no other transaction that also locks it go on before this one has ended."""
    tx.execute(_LOCK, {"id": organization_id})


def find(tx: Tx, organization_id: UUID) -> Organization | None:
    """The organization; None when there is none of that id."""
    row = tx.execute(_FIND, {"id": organization_id}).one_or_none()
    return None if row is None else _organization(row)


def find_all(tx: Tx) -> list[Organization]:
    """Every organization, oldest first."""
    return [_organization(row) for row in tx.execute(_ALL)]


def of_user(tx: Tx, user_id: UUID) -> list[Organization]:
    """Those that a user belongs to, oldest first."""
    return [_organization(row) for row in tx.execute(_OF_USER, {"user_id": user_id})]


def insert(tx: Tx, organization_id: UUID, name: str) -> Organization:
    """Make an organization, to which nobody belongs yet."""
    return _organization(tx.execute(_INSERT, {"id": organization_id, "name": name}).one())


def update(tx: Tx, organization_id: UUID, given: Mapping[str, str | None]) -> Organization | None:
    """Change `name` or `default_model_id`, whichever is given; None when there is none."""
    values = {
        "id": organization_id,
        "sets_name": "name" in given,
        "name": given.get("name"),
        "sets_model": "default_model_id" in given,
        "default_model_id": given.get("default_model_id"),
    }
    row = tx.execute(_UPDATE, values).one_or_none()
    return None if row is None else _organization(row)


def _organization(row: Row[Any]) -> Organization:
    return Organization(
        id=row.id,
        name=row.name,
        default_model_id=row.default_model_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
