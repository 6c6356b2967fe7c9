"""Who belongs to an organization, and as what.

Whoever changes it holds the organization's lock (`organizations.lock`), so that what was
counted is still so when it is changed: an organization that has an owner keeps one.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.domain.access import Role
from common.domain.errors import Conflict
from common.domain.identity import Member
from common.storage.engine import Tx
from common.storage.users import user_of

_OF_ORGANIZATION: Final = text("""
    SELECT u.id, u.email, u.name, u.is_operator, u.created_at, u.disabled_at,
        m.role, m.created_at AS joined_at
    FROM organization_members m JOIN users u ON u.id = m.user_id
    WHERE m.organization_id = :organization_id
    ORDER BY m.created_at, u.id
""")
_ROLE: Final = text("""
    SELECT role FROM organization_members
    WHERE organization_id = :organization_id AND user_id = :user_id
""")
_OF_USER: Final = text("""
    SELECT organization_id, role FROM organization_members WHERE user_id = :user_id
    ORDER BY organization_id
""")
_COUNT: Final = text("""
    SELECT count(*) FROM organization_members WHERE organization_id = :organization_id
""")
_OTHER_OWNER: Final = text("""
    SELECT 1 FROM organization_members
    WHERE organization_id = :organization_id AND user_id <> :user_id AND role = 'owner' LIMIT 1
""")
_ADD: Final = text("""
    INSERT INTO organization_members (organization_id, user_id, role)
    VALUES (:organization_id, :user_id, :role)
    ON CONFLICT DO NOTHING
    RETURNING user_id
""")
_CHANGE: Final = text("""
    UPDATE organization_members SET role = :role
    WHERE organization_id = :organization_id AND user_id = :user_id
""")
_REMOVE: Final = text("""
    DELETE FROM organization_members
    WHERE organization_id = :organization_id AND user_id = :user_id
""")


def of_organization(tx: Tx, organization_id: UUID) -> list[Member]:
    """The members, who was first first."""
    rows = tx.execute(_OF_ORGANIZATION, {"organization_id": organization_id})
    return [Member(user_of(row), Role(row.role), row.joined_at) for row in rows]


def of_user(tx: Tx, user_id: UUID) -> dict[UUID, Role]:
    """What a user belongs to."""
    rows = tx.execute(_OF_USER, {"user_id": user_id})
    return {row.organization_id: Role(row.role) for row in rows}


def role_of(tx: Tx, organization_id: UUID, user_id: UUID) -> Role | None:
    """What a user is there; None: no member."""
    found = tx.execute(_ROLE, _named(organization_id, user_id)).scalar_one_or_none()
    return None if found is None else Role(found)


def count(tx: Tx, organization_id: UUID) -> int:
    """How many members there are."""
    return int(tx.execute(_COUNT, {"organization_id": organization_id}).scalar_one())


def add(tx: Tx, organization_id: UUID, user_id: UUID, role: Role) -> bool:
    """Make a user a member; False when they are one already, as which they stay."""
    values = {**_named(organization_id, user_id), "role": role.value}
    return tx.execute(_ADD, values).one_or_none() is not None


def change(tx: Tx, organization_id: UUID, user_id: UUID, role: Role) -> None:
    """Make a member another.

    Raises:
        Conflict: it is the last owner.
    """
    if role is not Role.OWNER:
        _keep_an_owner(tx, organization_id, user_id)
    tx.execute(_CHANGE, {**_named(organization_id, user_id), "role": role.value})


def remove(tx: Tx, organization_id: UUID, user_id: UUID) -> None:
    """Let a user be no member.

    Raises:
        Conflict: it is the last owner.
    """
    _keep_an_owner(tx, organization_id, user_id)
    tx.execute(_REMOVE, _named(organization_id, user_id))


def _keep_an_owner(tx: Tx, organization_id: UUID, user_id: UUID) -> None:
    named = _named(organization_id, user_id)
    if role_of(tx, organization_id, user_id) is not Role.OWNER:
        return
    if tx.execute(_OTHER_OWNER, named).one_or_none() is None:
        raise Conflict("An organization keeps an owner; make another member one first")


def _named(organization_id: UUID, user_id: UUID) -> dict[str, UUID]:
    return {"organization_id": organization_id, "user_id": user_id}
