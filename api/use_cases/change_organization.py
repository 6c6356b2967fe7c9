"""Make an organization and change it: its name, who belongs to it and as what."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.gate import Gate
from api.schemas.organizations import WantedInvitation
from api.use_cases.operate import is_operator
from api.use_cases.tell import tell_changed
from common.domain.access import GRANTS_OF, Role, Scope, digest_of
from common.domain.errors import Conflict, Forbidden, InsufficientScope, NotFound
from common.domain.identity import (
    INVITATION_LASTS,
    INVITATION_PREFIX,
    MOST_INVITATIONS,
    MOST_ORGANIZATIONS,
    Invitation,
    Organization,
    may_change,
)
from common.domain.ids import DEFAULT_ORGANIZATION
from common.storage import (
    api_keys,
    idempotency,
    invitations,
    members,
    organizations,
    users,
)
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey
from common.storage.invitations import NewInvitation

_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class MadeInvitation:
    """An invitation with its token, which is known nowhere else."""

    invitation: Invitation
    token: str


def reachable_organizations(tx: Tx, caller: Caller) -> list[Organization]:
    """Those that the caller may act in: a key's one, a user's, or for the operator all."""
    if caller.login is not None:
        return organizations.of_user(tx, caller.principal_id)
    if caller.key_id is None:
        return organizations.find_all(tx)
    found = organizations.find(tx, caller.organization_id)
    return [] if found is None else [found]


def find_organization(tx: Tx, organization_id: UUID) -> Organization:
    """The organization that the caller was let into.

    Raises:
        NotFound: there is none.
    """
    found = organizations.find(tx, organization_id)
    if found is None:
        raise NotFound("Organization not found")
    return found


def create_organization(
    deps: Deps, gate: Gate, caller: Caller, name: str, key: IdempotencyKey | None
) -> Organization:
    """Make an organization, which is the user's who makes it, or without an owner the operator's.

    Raises:
        Conflict: a user has as many as they may have.
        Forbidden: the caller has not logged in and is not the operator.
    """
    organization_id = deps.new_id()
    # What else its maker owns counts, and it is none that the request is made in.
    with deps.database.across_organizations().transaction() as tx:
        if key is not None:
            # It is the caller's own, wherever they act just now.
            own = replace(key, organization_id=DEFAULT_ORGANIZATION, scope=str(caller.principal_id))
            first = idempotency.first_answer(
                tx, own, resource_id=organization_id.hex, status_code=HTTPStatus.CREATED
            )
            if first is not None:
                return find_organization(tx, UUID(hex=first.resource_id))
        user_id = _owner(tx, caller)
        made = organizations.insert(tx, organization_id, name)
        if user_id is not None:
            members.add(tx, organization_id, user_id, Role.OWNER)
    tell_changed(deps, gate, [] if user_id is None else [user_id])
    return made


def update_organization(
    deps: Deps, caller: Caller, given: Mapping[str, str | None]
) -> Organization:
    """Change the organization that the caller acts in."""
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        _acting(tx, caller, Scope.ORGANIZATIONS_WRITE)
        found = organizations.update(tx, caller.organization_id, given)
    if found is None:
        raise NotFound("Organization not found")
    return found


def change_role(deps: Deps, gate: Gate, caller: Caller, user_id: UUID, role: Role) -> None:
    """Make a member another.

    Raises:
        Conflict: it is the last owner.
        Forbidden: who is no owner makes or unmakes one.
        NotFound: there is no such member.
    """
    with deps.database.transaction() as tx:
        _check_change(tx, caller, user_id, role)
        members.change(tx, caller.organization_id, user_id, role)
        # What they invite to as what they are now they can do anew.
        invitations.withdraw_of(tx, caller.organization_id, user_id)
    tell_changed(deps, gate, [user_id])


def remove_member(deps: Deps, gate: Gate, caller: Caller, user_id: UUID) -> None:
    """Let a user be no member: their keys for it are revoked, their invitations withdrawn.

    Raises:
        Conflict, Forbidden, NotFound: as `change_role`.
    """
    with deps.database.transaction() as tx:
        _check_change(tx, caller, user_id, None)
        revoked = _part(tx, caller.organization_id, user_id)
    tell_changed(deps, gate, [user_id, *revoked])


def leave(deps: Deps, gate: Gate, caller: Caller) -> None:
    """Let the caller be no member.

    Raises:
        Conflict: they are the last owner.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        revoked = _part(tx, caller.organization_id, caller.principal_id)
    tell_changed(deps, gate, [caller.principal_id, *revoked])


def invite(
    deps: Deps, caller: Caller, wanted: WantedInvitation, key: IdempotencyKey | None
) -> MadeInvitation:
    """Make a token by which whoever has this address may join.

    Whether anybody has an account of that address changes nothing in the answer.

    Raises:
        Conflict: there are too many, or a repeat: the token cannot be shown again.
        Forbidden: who is no owner invites one.
    """
    token = f"{INVITATION_PREFIX}{secrets.token_hex(_SECRET_BYTES)}"
    invitation_id = deps.new_id()
    with deps.database.transaction() as tx:
        if key is not None and idempotency.first_answer(
            tx, key, resource_id=invitation_id.hex, status_code=HTTPStatus.CREATED
        ):
            raise Conflict("This request has invited already; its token was shown then")
        organizations.lock(tx, caller.organization_id)
        if not may_change(_acting(tx, caller, Scope.MEMBERS_WRITE), None, wanted.role):
            raise _owners_only()
        if len(invitations.of_organization(tx, caller.organization_id)) >= MOST_INVITATIONS:
            raise Conflict(f"There are {MOST_INVITATIONS} invitations already; withdraw one first")
        new = NewInvitation(
            id=invitation_id,
            organization_id=caller.organization_id,
            email=wanted.email,
            role=wanted.role,
            digest=digest_of(token),
            invited_by=caller.principal_id,
            lasts=INVITATION_LASTS,
        )
        return MadeInvitation(invitations.insert(tx, new), token)


def withdraw(deps: Deps, caller: Caller, invitation_id: UUID) -> None:
    """Let an invitation be good for nothing.

    Raises:
        NotFound: there is none.
    """
    with deps.database.transaction() as tx:
        if not invitations.withdraw(tx, caller.organization_id, invitation_id):
            raise NotFound("Invitation not found")


def _owner(tx: Tx, caller: Caller) -> UUID | None:
    if caller.login is None:
        if not (is_operator(caller) and caller.grants.allow(Scope.ORGANIZATIONS_WRITE)):
            raise Forbidden("Only who has logged in makes organizations, and the operator")
        return None
    users.lock(tx, caller.principal_id)
    owned = [
        role for role in members.of_user(tx, caller.principal_id).values() if role == Role.OWNER
    ]
    if len(owned) >= MOST_ORGANIZATIONS:
        raise Conflict(f"You own {MOST_ORGANIZATIONS} organizations already")
    return caller.principal_id


def _check_change(tx: Tx, caller: Caller, user_id: UUID, wanted: Role | None) -> None:
    organizations.lock(tx, caller.organization_id)
    acting = _acting(tx, caller, Scope.MEMBERS_WRITE)
    member = members.role_of(tx, caller.organization_id, user_id)
    if member is None:
        raise NotFound("Member not found")
    if not may_change(acting, member, wanted):
        raise _owners_only()


def _acting(tx: Tx, caller: Caller, scope: Scope) -> Role | None:
    """What the caller is now, which may be less than when they were let in; None: no user."""
    if caller.role is None:
        return None
    role = members.role_of(tx, caller.organization_id, caller.principal_id)
    if role is None or not GRANTS_OF[role].allow(scope):
        raise InsufficientScope(scope)
    return role


def _part(tx: Tx, organization_id: UUID, user_id: UUID) -> list[UUID]:
    members.remove(tx, organization_id, user_id)
    invitations.withdraw_of(tx, organization_id, user_id)
    return api_keys.revoke_all(tx, user_id, organization_id=organization_id)


def _owners_only() -> Forbidden:
    return Forbidden("Only an owner makes and unmakes owners")
