"""What a user does with their own account."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.gate import Gate
from api.login_limits import Attempt
from api.schemas.identity import PasswordChange
from api.use_cases.join_organization import join
from api.use_cases.log_in import Client
from api.use_cases.tell import tell_changed
from common.domain.access import Role, digest_of
from common.domain.errors import Conflict, Forbidden, NotFound, Unauthorized
from common.domain.identity import Account, OpenLogin, Organization, User
from common.storage import api_keys, invitations, logins, members, organizations, users
from common.storage.engine import Tx


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a person."""

    user: User
    roles: dict[UUID, Role]
    logins: list[OpenLogin]


def find_user(tx: Tx, caller: Caller) -> User:
    """The user who calls.

    Raises:
        Unauthorized: they were deleted a moment ago.
    """
    user = users.find(tx, caller.principal_id)
    if user is None:
        raise Unauthorized(is_refused=True)
    return user


def rename(deps: Deps, caller: Caller, name: str | None) -> User:
    """Give the caller another name, if one is given."""
    with deps.database.transaction() as tx:
        if name is None:
            return find_user(tx, caller)
        user = users.rename(tx, caller.principal_id, name)
    if user is None:
        raise Unauthorized(is_refused=True)
    return user


def change_password(
    deps: Deps, gate: Gate, caller: Caller, change: PasswordChange, client: Client
) -> None:
    """Give the caller another password; their other logins end, keys stay.

    Raises:
        Conflict: the environment sets it, or it was changed at the same moment.
        Forbidden: the current one is another.
        Overloaded: too many try just now.
        RateLimited: it was tried too often.
    """
    deps.login_limits.spend(
        Attempt.PASSWORD, address=client.address, account=caller.principal_id.hex
    )
    with deps.database.reading() as tx:
        account = users.get_account(tx, caller.principal_id)
    if account is None:
        raise Unauthorized(is_refused=True)
    _refuse_configured(deps, account)
    if not deps.passwords.is_right(change.current, account.password_hash):
        raise Forbidden("The current password is not right")
    kept = deps.passwords.hash(change.wanted)
    current = None if caller.login is None else caller.login.login_id
    with deps.database.transaction() as tx:
        if not users.set_password(tx, account.user.id, kept, before=account.password_hash):
            raise Conflict("The password was changed at the same moment")
        ended = logins.revoke_all(tx, account.user.id, but=current)
    tell_changed(deps, gate, ended)


def end_login(deps: Deps, gate: Gate, caller: Caller, login_id: UUID) -> None:
    """End one of the caller's logins.

    Raises:
        NotFound: there is none that is good.
    """
    with deps.database.transaction() as tx:
        is_ended = logins.revoke(tx, caller.principal_id, login_id)
    if not is_ended:
        raise NotFound("Login not found")
    tell_changed(deps, gate, [login_id])


def export(deps: Deps, caller: Caller) -> Kept:
    """What is kept of the caller as a person."""
    with deps.database.reading() as tx:
        return Kept(
            find_user(tx, caller),
            members.of_user(tx, caller.principal_id),
            logins.of_user(tx, caller.principal_id),
        )


def switch_organization(
    deps: Deps, gate: Gate, caller: Caller, organization_id: UUID
) -> Organization:
    """Where the caller's requests are meant for that name no organization.

    Raises:
        NotFound: they do not belong to it.
    """
    with deps.database.transaction() as tx:
        found = organizations.find(tx, organization_id)
        role = members.role_of(tx, organization_id, caller.principal_id)
        if found is None or role is None or caller.login is None:
            raise NotFound("Organization not found")
        logins.act_in(tx, caller.login.login_id, organization_id)
    tell_changed(deps, gate, [caller.principal_id])
    return found


def accept_invitation(
    deps: Deps, gate: Gate, caller: Caller, token: str, client: Client
) -> Organization:
    """Become a member of the organization that a token invites to.

    Raises:
        Conflict: they are one already, or there are too many.
        NotFound: the caller is not invited by it, or no longer.
        RateLimited: it was tried too often.
    """
    deps.login_limits.spend(Attempt.JOIN, address=client.address)
    with deps.database.transaction() as tx:
        user = find_user(tx, caller)
        invitation = invitations.spend(tx, digest_of(token), user.email)
        if invitation is None:
            raise NotFound("Invitation not found")
        join(tx, user, invitation)
        organization = organizations.find(tx, invitation.organization_id)
    if organization is None:
        raise NotFound("Organization not found")
    tell_changed(deps, gate, [user.id])
    return organization


def delete_account(deps: Deps, gate: Gate, caller: Caller) -> None:
    """Forget the caller: their logins end and their keys are revoked; what they made stays.

    Raises:
        Conflict: they are the last owner of an organization, or named by the environment.
    """
    with deps.database.transaction() as tx:
        account = users.get_account(tx, caller.principal_id)
        if account is None:
            raise Unauthorized(is_refused=True)
        _refuse_configured(deps, account)
        for organization_id in sorted(members.of_user(tx, account.user.id)):
            organizations.lock(tx, organization_id)
            members.remove(tx, organization_id, account.user.id)
            invitations.withdraw_of(tx, organization_id, account.user.id)
        ended = logins.revoke_all(tx, account.user.id)
        ended += api_keys.revoke_all(tx, account.user.id)
        users.delete(tx, account.user.id)
    tell_changed(deps, gate, ended)


def _refuse_configured(deps: Deps, account: Account) -> None:
    if account.user.email == deps.settings.auth_admin_email:
        raise Conflict("This account is set by the environment")
