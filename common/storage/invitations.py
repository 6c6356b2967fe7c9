"""Invitations to organizations: kept by the digest of their token, good once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.access import Role
from common.domain.identity import Invitation
from common.storage.engine import Tx

_COLUMNS: Final = "id, organization_id, email, role, created_at, expires_at"
_INSERT: Final = text(f"""
    INSERT INTO invitations (id, organization_id, email, role, digest, invited_by, expires_at)
    VALUES (:id, :organization_id, :email, :role, :digest, :invited_by,
        clock_timestamp() + CAST(:lasts AS interval))
    RETURNING {_COLUMNS}
""")
_FORGET_OLD: Final = text("""
    DELETE FROM invitations
    WHERE organization_id = :organization_id AND expires_at < clock_timestamp()
""")
_OF_ORGANIZATION: Final = text(f"""
    SELECT {_COLUMNS} FROM invitations
    WHERE organization_id = :organization_id AND expires_at > clock_timestamp()
    ORDER BY created_at, id
""")
_WITHDRAW: Final = text("""
    DELETE FROM invitations WHERE organization_id = :organization_id AND id = :id RETURNING id
""")
_WITHDRAW_OF: Final = text("""
    DELETE FROM invitations WHERE organization_id = :organization_id AND invited_by = :user_id
""")
_SPEND: Final = text(f"""
    DELETE FROM invitations
    WHERE digest = :digest AND email = :email AND expires_at > clock_timestamp()
    RETURNING {_COLUMNS}
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation:
    """An invitation to keep."""

    id: UUID
    organization_id: UUID
    email: str
    role: Role
    digest: str
    invited_by: UUID
    lasts: timedelta


def insert(tx: Tx, new: NewInvitation) -> Invitation:
    """Keep an invitation; those of the organization that have expired are forgotten."""
    tx.execute(_FORGET_OLD, {"organization_id": new.organization_id})
    row = tx.execute(
        _INSERT,
        {
            "id": new.id,
            "organization_id": new.organization_id,
            "email": new.email,
            "role": new.role.value,
            "digest": new.digest,
            "invited_by": new.invited_by,
            "lasts": new.lasts,
        },
    ).one()
    return _invitation(row)


def of_organization(tx: Tx, organization_id: UUID) -> list[Invitation]:
    """Those that can still be accepted, oldest first."""
    rows = tx.execute(_OF_ORGANIZATION, {"organization_id": organization_id})
    return [_invitation(row) for row in rows]


def withdraw(tx: Tx, organization_id: UUID, invitation_id: UUID) -> bool:
    """Let an invitation be good for nothing; False when there is none."""
    values = {"organization_id": organization_id, "id": invitation_id}
    return tx.execute(_WITHDRAW, values).one_or_none() is not None


def withdraw_of(tx: Tx, organization_id: UUID, user_id: UUID) -> None:
    """Let all that a user has invited to be good for nothing."""
    tx.execute(_WITHDRAW_OF, {"organization_id": organization_id, "user_id": user_id})


def spend(tx: Tx, digest: str, email: str) -> Invitation | None:
    """Use the invitation of that address; None when there is none, or no longer."""
    row = tx.execute(_SPEND, {"digest": digest, "email": email}).one_or_none()
    return None if row is None else _invitation(row)


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        organization_id=row.organization_id,
        email=row.email,
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
