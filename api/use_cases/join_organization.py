"""Become a member of an organization."""

from __future__ import annotations

from common.domain.errors import Conflict
from common.domain.identity import MOST_MEMBERS, Invitation, User
from common.storage import members, organizations
from common.storage.engine import Tx


def join(tx: Tx, user: User, invitation: Invitation) -> None:
    """Make a user a member by an invitation that was spent in this transaction.

    Raises:
        Conflict: they are one already, or there are too many.
    """
    organizations.lock(tx, invitation.organization_id)
    if members.count(tx, invitation.organization_id) >= MOST_MEMBERS:
        raise Conflict(f"The organization has {MOST_MEMBERS} members already")
    if not members.add(tx, invitation.organization_id, user.id, invitation.role):
        raise Conflict("This user is a member already")
