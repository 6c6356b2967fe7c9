"""Where callers are let in: by everyone's leave, or by the key or access token they show.

`recall` answers at once from what the process knows, so that an event loop may call it and
a request with a known key costs no SQL; `admit` may ask the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from redis import Redis

from api.access_tokens import AccessTokens
from api.auth import (
    Caller,
    Organizations,
    Presented,
    dialect_of,
    organization_of,
    unknown_organization,
)
from api.keyring import REFRESH_SECONDS, Keyring
from api.login_desk import LoginDesk
from common.domain.access import EVERYTHING, MOST_CHARACTERS, ApiKey, digest_of, is_same
from common.domain.errors import Unauthorized
from common.domain.ids import ANONYMOUS_PRINCIPAL, DEFAULT_ORGANIZATION, OPERATOR_PRINCIPAL
from common.settings import Settings
from common.storage import organizations
from common.storage.engine import Database


class Gate(Protocol):
    """Thread-safe."""

    def recall(self, presented: Presented) -> Caller | None:
        """The caller, if that takes no look at the database; None: ask `admit`.

        Raises:
            NotFound: the organization is not the caller's.
            Unauthorized: nobody is known by this.
        """

    def admit(self, presented: Presented) -> Caller:
        """The caller; asks the database about what is not known yet.

        Raises:
            NotFound, Unauthorized: as `recall`.
        """

    def hold(self, caller: Caller, end: Callable[[], None]) -> None:
        """Call `end`, on any thread and perhaps repeatedly, when the caller is not let in now."""

    def release(self, caller: Caller, end: Callable[[], None]) -> None:
        """What was held has ended by itself."""

    def revoked(self, revoked: UUID) -> None:
        """This process has revoked a key or a login, or changed something about a user."""

    def close(self) -> None:
        """Stop what runs on its behalf."""


class OpenGate:
    """AUTH_MODE=none: everyone is the anonymous administrator, whatever key they show."""

    def __init__(self, known: Organizations) -> None:
        self._organizations = known

    def recall(self, presented: Presented) -> Caller | None:
        organization_id = organization_of(presented) or DEFAULT_ORGANIZATION
        if not self._organizations.recall(organization_id):
            return None
        return _anyone(organization_id, presented)

    def admit(self, presented: Presented) -> Caller:
        organization_id = organization_of(presented) or DEFAULT_ORGANIZATION
        if not self._organizations.has(organization_id):
            raise unknown_organization()
        return _anyone(organization_id, presented)

    def hold(self, caller: Caller, end: Callable[[], None]) -> None:
        pass

    def release(self, caller: Caller, end: Callable[[], None]) -> None:
        pass

    def revoked(self, revoked: UUID) -> None:
        pass

    def close(self) -> None:
        pass


class KeyGate:
    """Every other mode: a caller shows a key.

    `configured` is the digest of the key that the environment names, if it does: the
    operator's, good for every organization.  `desk` knows who has logged in; None: nobody can.
    """

    def __init__(
        self,
        keyring: Keyring,
        known: Organizations,
        *,
        configured: str | None = None,
        desk: LoginDesk | None = None,
    ) -> None:
        self._keyring = keyring
        self._desk = desk
        self._organizations = known
        self._configured = configured

    def recall(self, presented: Presented) -> Caller | None:
        if self._desk is not None and (token := self._desk.read(presented)) is not None:
            return self._desk.recall(token, presented)
        digest = _digest(presented)
        if self._is_configured(digest):
            organization_id = organization_of(presented) or DEFAULT_ORGANIZATION
            if not self._organizations.recall(organization_id):
                return None
            return _operator(organization_id, presented)
        key = self._keyring.recall(digest)
        return None if key is None else _holder(key, presented)

    def admit(self, presented: Presented) -> Caller:
        known = self.recall(presented)
        if known is not None:
            return known
        if self._desk is not None and (token := self._desk.read(presented)) is not None:
            return self._desk.find(token, presented)
        digest = _digest(presented)
        if self._is_configured(digest):
            organization_id = organization_of(presented) or DEFAULT_ORGANIZATION
            if not self._organizations.has(organization_id):
                raise unknown_organization()
            return _operator(organization_id, presented)
        key = self._keyring.find(digest)
        if key is None:
            raise Unauthorized(is_refused=True)
        return _holder(key, presented)

    def hold(self, caller: Caller, end: Callable[[], None]) -> None:
        if caller.key_id is not None:
            self._keyring.hold(caller.key_id, end)
        if self._desk is not None and caller.login is not None:
            self._desk.hold(caller, caller.login, end)

    def release(self, caller: Caller, end: Callable[[], None]) -> None:
        if caller.key_id is not None:
            self._keyring.release(caller.key_id, end)
        if self._desk is not None and caller.login is not None:
            self._desk.release(caller.login, end)

    def revoked(self, revoked: UUID) -> None:
        self._keyring.forget(revoked)
        if self._desk is not None:
            self._desk.forget(revoked)

    def close(self) -> None:
        self._keyring.close()

    def _is_configured(self, digest: str) -> bool:
        return self._configured is not None and is_same(self._configured, digest)


def open_gate(
    settings: Settings,
    database: Database,
    redis: Redis | None,
    *,
    refresh_seconds: float = REFRESH_SECONDS,
) -> Gate:
    """The gate of a process, as AUTH_MODE has it; `redis` is where revocations are heard of."""
    known = Organizations(_look_up(database))
    if settings.auth_mode == "none":
        return OpenGate(known)
    keyring = Keyring(database, redis, refresh_seconds=refresh_seconds)
    desk = None
    if settings.has_passwords:
        desk = LoginDesk(
            database,
            AccessTokens.of(settings),
            start=keyring.start,
            only_email=settings.only_email,
        )
        keyring.attend(desk)
    return KeyGate(keyring, known, configured=settings.auth_bootstrap_key, desk=desk)


def _look_up(database: Database) -> Callable[[UUID], bool]:
    def exists(organization_id: UUID) -> bool:
        with database.reading() as tx:
            return organizations.exists(tx, organization_id)

    return exists


def _digest(presented: Presented) -> str:
    credential = presented.credential
    if credential is None:
        raise Unauthorized(is_refused=False)
    if len(credential) > MOST_CHARACTERS:
        raise Unauthorized(is_refused=True)
    return digest_of(credential)


def _anyone(organization_id: UUID, presented: Presented) -> Caller:
    return Caller(
        organization_id,
        ANONYMOUS_PRINCIPAL,
        dialect_of(presented),
        grants=EVERYTHING,
        is_operator=True,
    )


def _operator(organization_id: UUID, presented: Presented) -> Caller:
    return replace(_anyone(organization_id, presented), principal_id=OPERATOR_PRINCIPAL)


def _holder(key: ApiKey, presented: Presented) -> Caller:
    if organization_of(presented) not in (None, key.organization_id):
        raise unknown_organization()
    return Caller(
        key.organization_id,
        key.principal_id,
        dialect_of(presented),
        grants=key.granted,
        agent_id=key.agent_id,
        key_id=key.id,
        role=key.role,
        is_operator=key.is_operators,
    )
