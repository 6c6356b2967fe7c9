"""Log in, stay logged in, log out; make an account.

Whoever tries learns nothing of who has an account: an address that nobody has, a wrong
password and a closed account are refused in the same words after the same work.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from api.access_tokens import AccessTokens
from api.deps import Deps
from api.gate import Gate
from api.login_limits import Attempt
from api.schemas.identity import Credentials, WantedAccount
from api.use_cases.join_organization import join
from api.use_cases.tell import tell_changed
from common.domain.access import Role, digest_of, is_same
from common.domain.errors import Forbidden, LoginRefused, Unauthorized, Unprocessable
from common.domain.identity import REFRESH_PREFIX, Account, User
from common.domain.ids import DEFAULT_ORGANIZATION
from common.storage import invitations, logins, members, organizations, users
from common.storage.engine import Tx
from common.storage.logins import NewLogin
from common.storage.users import NewUser

_SECRET_BYTES: Final = 32
_USER_AGENT_CHARACTERS: Final = 200

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Client:
    """From where somebody tries, and with what."""

    address: str
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login is used with; lifetimes are in seconds."""

    user_id: UUID
    access: str
    access_lasts: int
    refresh: str
    refresh_lasts: int


def log_in(deps: Deps, gate: Gate, given: Credentials, client: Client) -> Tokens:
    """Open a login for whoever has this email and password.

    Raises:
        Forbidden: nobody logs in here.
        LoginRefused: nobody has them.
        Overloaded: too many try just now.
        RateLimited: this address or account was tried too often.
    """
    _require_passwords(deps)
    deps.login_limits.spend(Attempt.LOGIN, address=client.address, account=digest_of(given.email))
    with deps.database.reading() as tx:
        found = users.find_account(tx, given.email)
    account = _verified(deps, gate, given, found)
    if account is None:
        _log.info("login_refused")
        raise LoginRefused(tried=None if found is None else found.user.id)
    return _open(deps, gate, account, client)


def register(deps: Deps, gate: Gate, wanted: WantedAccount, client: Client) -> Tokens:
    """Make an account and log in: by an invitation, or with an organization of its own.

    Raises:
        Forbidden: only who is invited may.
        Overloaded, RateLimited: as `log_in`.
        Unprocessable: the address is taken or the invitation not good; which is not said.
    """
    settings = deps.settings
    if settings.auth_mode != "full":
        raise Forbidden("No accounts are made here")
    deps.login_limits.spend(Attempt.REGISTER, address=client.address)
    if settings.auth_disable_signup and wanted.invitation is None:
        raise Forbidden("Accounts are made by invitation here")
    kept = deps.passwords.hash(wanted.password)
    with deps.database.transaction() as tx:
        new = NewUser(id=deps.new_id(), email=wanted.email, name=wanted.name, password_hash=kept)
        user = users.insert(tx, new)
        if user is None or wanted.email == settings.auth_admin_email:
            raise _no_account()
        _give_home(deps, tx, user, wanted.invitation)
    return _open(deps, gate, Account(user, kept), client)


def refresh(deps: Deps, gate: Gate, token: str | None, client: Client) -> Tokens:
    """Tokens for a refresh token, which is good no more.

    Raises:
        Forbidden, RateLimited: as `log_in`.
        Unauthorized: it is not good.  One that was used a while ago ends its login.
    """
    _require_passwords(deps)
    deps.login_limits.spend(Attempt.REFRESH, address=client.address)
    if not token:
        raise Unauthorized(is_refused=False)
    successor, lasts = _refresh_text(), deps.settings.auth_jwt_refresh_token_lifetime
    stolen = None
    with deps.database.transaction() as tx:
        login = logins.refresh(tx, digest_of(token), successor=digest_of(successor), lasts=lasts)
        if login is None:
            stolen = logins.revoke_if_stolen(tx, digest_of(token))
    if stolen is not None:
        _log.warning("refresh_token_reused", login_id=stolen.hex)
        tell_changed(deps, gate, [stolen])
    if login is None or deps.settings.only_email not in (None, login.email):
        raise Unauthorized(is_refused=True)
    return _tokens(deps, login.user_id, login.id, successor)


def log_out(
    deps: Deps, gate: Gate, token: str | None, login_id: UUID | None, user_id: UUID
) -> None:
    """End the login that a refresh token belongs to, or this one; no login is no matter."""
    with deps.database.transaction() as tx:
        ended = logins.revoke_by_token(tx, digest_of(token)) if token else None
        if ended is None and login_id is not None and logins.revoke(tx, user_id, login_id):
            ended = login_id
    if ended is not None:
        tell_changed(deps, gate, [ended])


def _verified(
    deps: Deps, gate: Gate, given: Credentials, account: Account | None
) -> Account | None:
    """The account of whoever has these; one password is hashed in any case."""
    settings = deps.settings
    kept = None if account is None else account.password_hash
    is_right = deps.passwords.is_right(given.password, kept)
    if settings.only_email not in (None, given.email):
        return None
    if given.email == settings.auth_admin_email:
        is_configured = is_same(digest_of(given.password), digest_of(settings.auth_admin_password))
        if not is_configured:
            return None
        if account is None or not is_right:
            return _keep_configured(deps, gate, given)
    if account is None or not is_right or account.user.disabled_at is not None:
        return None
    if deps.passwords.is_dated(kept or ""):
        return _hash_anew(deps, account, given.password)
    return account


def _keep_configured(deps: Deps, gate: Gate, given: Credentials) -> Account | None:
    """The account that the environment names, made or given its password."""
    kept = deps.passwords.hash(given.password)
    ended: list[UUID] = []
    with deps.database.transaction() as tx:
        new = NewUser(
            id=deps.new_id(),
            email=given.email,
            name="Operator",
            password_hash=kept,
            is_operator=True,
        )
        user = users.insert(tx, new)
        if user is None:
            before = users.find_account(tx, given.email)
            if before is None or not users.set_password(
                tx, before.user.id, kept, before=before.password_hash
            ):
                return None  # changed at this very moment: to be tried again
            user = before.user
            ended = logins.revoke_all(tx, user.id)
        organizations.lock(tx, DEFAULT_ORGANIZATION)
        members.add(tx, DEFAULT_ORGANIZATION, user.id, Role.OWNER)
    tell_changed(deps, gate, ended)
    return Account(user, kept)


def _hash_anew(deps: Deps, account: Account, password: str) -> Account:
    kept = deps.passwords.hash(password)
    with deps.database.transaction() as tx:
        is_kept = users.set_password(tx, account.user.id, kept, before=account.password_hash)
    return Account(account.user, kept) if is_kept else account


def _give_home(deps: Deps, tx: Tx, user: User, invitation: str | None) -> None:
    if invitation is None:
        home = deps.new_id()
        organizations.insert(tx, home, user.name)
        members.add(tx, home, user.id, Role.OWNER)
        return
    spent = invitations.spend(tx, digest_of(invitation), user.email)
    if spent is None:
        raise _no_account()
    join(tx, user, spent)


def _open(deps: Deps, gate: Gate, account: Account, client: Client) -> Tokens:
    text, login_id = _refresh_text(), deps.new_id()
    agent = client.user_agent
    with deps.database.transaction() as tx:
        ended = logins.open_login(
            tx,
            NewLogin(
                id=login_id,
                user_id=account.user.id,
                password_hash=account.password_hash,
                digest=digest_of(text),
                lasts=deps.settings.auth_jwt_refresh_token_lifetime,
                user_agent=agent[:_USER_AGENT_CHARACTERS] if agent else None,
            ),
        )
    if ended is None:
        raise LoginRefused
    tell_changed(deps, gate, ended)
    return _tokens(deps, account.user.id, login_id, text)


def _tokens(deps: Deps, user_id: UUID, login_id: UUID, refresh_text: str) -> Tokens:
    tokens = AccessTokens.of(deps.settings)
    return Tokens(
        user_id=user_id,
        access=tokens.issue(user_id, login_id),
        access_lasts=tokens.lifetime_seconds,
        refresh=refresh_text,
        refresh_lasts=deps.settings.auth_jwt_refresh_token_lifetime,
    )


def _refresh_text() -> str:
    return f"{REFRESH_PREFIX}{secrets.token_hex(_SECRET_BYTES)}"


def _require_passwords(deps: Deps) -> None:
    if not deps.settings.has_passwords:
        raise Forbidden("Nobody logs in here with a password")


def _no_account() -> Unprocessable:
    return Unprocessable("No account can be made of these")
