"""Logins that this process has seen lately: who an access token lets in, and where.

The keyring's thread asks PostgreSQL every two seconds which of them are still good and what
their users now are in their organizations, and hears over Redis of what was revoked.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from api.access_tokens import AccessToken, AccessTokens, looks_like_token
from api.auth import Caller, LoggedIn, Presented, dialect_of, organization_of, unknown_organization
from common import clock
from common.domain.access import GRANTS_OF, HOMELESS, MOST_CHARACTERS, Role
from common.domain.errors import Unauthorized
from common.domain.identity import Login
from common.domain.ids import NO_ORGANIZATION
from common.storage import logins
from common.storage.engine import Database, DatabaseError

_TRUSTED_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 300.0
_MOST_KNOWN: Final = 20_000

_log = structlog.get_logger()


@dataclass(slots=True)
class _Known:
    """A login with what the process knows of it; times are of its monotonic clock."""

    login: Login
    asked_at: float
    used_at: float


@dataclass(frozen=True, slots=True)
class _Held:
    """What ends with a caller's leave, and what the leave was."""

    end: Callable[[], None]
    organization_id: UUID
    role: Role | None
    ends_at: float


class LoginDesk:
    """Thread-safe.  `start` lets the thread run that calls `refresh` and `forget`.

    `only_email` is the one user who gets in; None: every user does.
    """

    def __init__(
        self,
        database: Database,
        tokens: AccessTokens,
        *,
        start: Callable[[], None],
        only_email: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._start = start
        self._only_email = only_email
        self._monotonic = monotonic
        self._known: dict[UUID, _Known] = {}
        self._held: defaultdict[UUID, set[_Held]] = defaultdict(set)
        self._lock = threading.Lock()

    def read(self, presented: Presented) -> AccessToken | None:
        """The access token that is shown; None when it is something else, or not good."""
        shown = presented.credential
        if shown is None or len(shown) > MOST_CHARACTERS or not looks_like_token(shown):
            return None
        return self._tokens.read(shown)

    def recall(self, token: AccessToken, presented: Presented) -> Caller | None:
        """The caller, if the login is known and good; None says nothing: ask `find`.

        Raises:
            NotFound: there is no such organization.
            Unauthorized: the user does not get in.
        """
        known = self._known.get(token.login_id)
        now = self._monotonic()
        if known is None or now - known.asked_at > _TRUSTED_SECONDS:
            return None
        known.used_at = now
        if organization_of(presented) not in (None, *known.login.roles):
            return None  # they may have joined it a moment ago
        return self._caller(known.login, token, presented)

    def find(self, token: AccessToken, presented: Presented) -> Caller:
        """The caller; asks the database.

        Raises:
            NotFound: the organization is not the user's.
            Unauthorized: the user does not get in, or the login is not good.
        """
        with self._database.reading() as tx:
            login = logins.still_good(tx, [token.login_id]).get(token.login_id)
        if login is None:
            raise Unauthorized(is_refused=True)
        now = self._monotonic()
        self._start()
        with self._lock:
            if login.id in self._known or len(self._known) < _MOST_KNOWN:
                self._known[login.id] = _Known(login, now, now)
        return self._caller(login, token, presented)

    def hold(self, caller: Caller, login: LoggedIn, end: Callable[[], None]) -> None:
        """Call `end` when the token expires, the login ends, or the user's role changes."""
        held = _Held(end, caller.organization_id, caller.role, login.ends_at)
        with self._lock:
            self._held[login.login_id].add(held)

    def release(self, login: LoggedIn, end: Callable[[], None]) -> None:
        """What was held has ended."""
        with self._lock:
            left = {held for held in self._held[login.login_id] if held.end is not end}
            if left:
                self._held[login.login_id] = left
            else:
                del self._held[login.login_id]

    def forget(self, revoked: UUID) -> None:
        """The login of this id was revoked, or something changed about the user of this id."""
        with self._lock:
            for login_id, known in list(self._known.items()):
                if revoked in (login_id, known.login.user_id):
                    del self._known[login_id]
            ended = list(self._held.get(revoked, ()))
        for held in ended:
            held.end()

    def refresh(self) -> None:
        """Ask which logins are still good, and end what is held by those that are not."""
        now = self._monotonic()
        with self._lock:
            self._known = {
                login_id: known
                for login_id, known in self._known.items()
                if now - known.used_at < _IDLE_SECONDS or login_id in self._held
            }
            ids = self._known.keys() | self._held.keys()
        if not ids:
            return
        try:
            with self._database.reading() as tx:
                good = logins.still_good(tx, ids)
        except DatabaseError as failure:
            _log.warning("logins_unrefreshed", error=type(failure).__name__)
            self._end_held(lambda _, held: now >= held.ends_at)
            return
        with self._lock:
            for login_id in ids & self._known.keys():
                if login_id in good:
                    known = self._known[login_id]
                    known.login, known.asked_at = good[login_id], max(known.asked_at, now)
                else:
                    del self._known[login_id]
        self._end_held(
            lambda login_id, held: now >= held.ends_at or _is_lost(held, good.get(login_id))
        )

    def _end_held(self, is_over: Callable[[UUID, _Held], bool]) -> None:
        with self._lock:
            over = [
                held
                for login_id, several in self._held.items()
                for held in several
                if is_over(login_id, held)
            ]
        for held in over:
            held.end()

    def _caller(self, login: Login, token: AccessToken, presented: Presented) -> Caller:
        if login.user_id != token.user_id or self._only_email not in (None, login.email):
            raise Unauthorized(is_refused=True)
        organization_id = organization_of(presented) or login.home
        role = None if organization_id is None else login.roles.get(organization_id)
        if organization_id is not None and role is None:
            raise unknown_organization()
        left = (token.expires_at - clock.now()).total_seconds()
        return Caller(
            organization_id or NO_ORGANIZATION,
            login.user_id,
            dialect_of(presented),
            grants=HOMELESS if role is None else GRANTS_OF[role],
            role=role,
            login=LoggedIn(login.id, self._monotonic() + left),
            is_operator=login.is_operator,
        )


def _is_lost(held: _Held, login: Login | None) -> bool:
    if login is None:
        return True
    return held.role is not login.roles.get(held.organization_id)
