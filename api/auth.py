"""Who calls, and what is said to who may not.  One module for the api and the stream process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final, Literal
from uuid import UUID

from common.domain.access import (
    NOTHING,
    Admission,
    Grants,
    Need,
    Role,
    Scope,
    has_scheme,
    read_credential,
)
from common.domain.audit import NOBODY as UNKNOWN_ACTOR
from common.domain.audit import Actor, ActorType
from common.domain.errors import (
    BadRequest,
    DomainError,
    Forbidden,
    InsufficientScope,
    InvalidId,
    NotFound,
    Unauthorized,
)
from common.domain.ids import (
    ANONYMOUS_PRINCIPAL,
    DEFAULT_ORGANIZATION,
    NO_ORGANIZATION,
    Kind,
    parse_id,
    show_id,
)

Dialect = Literal["seed", "sdk"]

_KNOWN_AT_MOST: Final = 10_000
_REALM: Final = 'Bearer realm="everturn"'


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request says of who sends it.

    Attributes:
        organization: the one that its path is about, or its X-Org-Id.
        dialect: its query parameter of that name.
        cookie: the access token that a browser added; nothing beside a header.
    """

    authorization: str | None = None
    organization: str | None = None
    dialect: str | None = None
    cookie: str | None = None

    @property
    def credential(self) -> str | None:
        return read_credential(self.authorization) or self.cookie


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """That a caller has logged in.

    Attributes:
        ends_at: when their access token expires, by the process's monotonic clock.
    """

    login_id: UUID
    ends_at: float


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose resources a request sees, what it may do, and how it likes answers spelled.

    Attributes:
        dialect: `sdk` for the official SDK, which knows tool messages by another role.
        agent_id: the only agent whose sessions it may see; None: any.
        key_id: the key that was shown; None for none, and for the configured one.
        role: what the user is in the organization; None: it is no user.
        login: None: they showed a key, or nothing.
        is_operator: whether it may change what all organizations share.
    """

    organization_id: UUID
    principal_id: UUID
    dialect: Dialect
    grants: Grants = NOTHING
    agent_id: UUID | None = None
    key_id: UUID | None = None
    role: Role | None = None
    login: LoggedIn | None = None
    is_operator: bool = False


NOBODY: Final = Caller(NO_ORGANIZATION, NO_ORGANIZATION, "seed")


class Organizations:
    """Organizations that are known to exist, so that a look-up is paid for once.

    They are never deleted, so what was found stays true.  Thread-safe.
    """

    def __init__(self, exists: Callable[[UUID], bool]) -> None:
        self._exists = exists
        self._known = {DEFAULT_ORGANIZATION}
        self._lock = Lock()

    def recall(self, organization_id: UUID) -> bool:
        """Whether it is known to exist, without asking."""
        return organization_id in self._known

    def has(self, organization_id: UUID) -> bool:
        """Whether there is such an organization; asks the database the first time."""
        if organization_id in self._known:
            return True
        if not self._exists(organization_id):
            return False
        with self._lock:
            if len(self._known) < _KNOWN_AT_MOST:
                self._known.add(organization_id)
        return True


def dialect_of(presented: Presented) -> Dialect:
    """`sdk` when asked for, or when the key comes bare: only the SDKs send it so (T1)."""
    if presented.dialect in ("sdk", "seed"):
        return "sdk" if presented.dialect == "sdk" else "seed"
    is_bare = bool((presented.authorization or "").strip())
    return "sdk" if is_bare and not has_scheme(presented.authorization) else "seed"


def organization_of(presented: Presented) -> UUID | None:
    """The organization that a request is made for; None when it names none.

    Raises:
        NotFound: it names none that there could be.
    """
    named = (presented.organization or "").strip()
    if not named:
        return None
    try:
        return parse_id(Kind.ORGANIZATION, named)
    except InvalidId as malformed:
        raise unknown_organization() from malformed


def unknown_organization() -> NotFound:
    """What is said of an organization that does not exist, or not for the caller."""
    return NotFound("Organization not found")


def actor_of(caller: Caller) -> Actor:
    """As what the audit log knows a caller."""
    if caller is NOBODY:
        return UNKNOWN_ACTOR
    if caller.key_id is not None:
        key = show_id(Kind.API_KEY, caller.key_id)
        if caller.agent_id is not None:
            return Actor(ActorType.AGENT_KEY, key, show_id(Kind.AGENT, caller.agent_id))
        user = None if caller.role is None else show_id(Kind.USER, caller.principal_id)
        return Actor(ActorType.API_KEY, key, user)
    if caller.login is not None:
        return Actor(ActorType.USER, show_id(Kind.USER, caller.principal_id))
    is_anyone = caller.principal_id == ANONYMOUS_PRINCIPAL
    return Actor(ActorType.ANONYMOUS if is_anyone else ActorType.CONFIGURED_KEY)


def check(caller: Caller, need: Need | None) -> None:
    """Let the caller go on to a route that needs this; None is for one that does not say.

    Raises:
        BadRequest: it depends on the organization, and the request names none.
        Forbidden: it may not; of its scopes the one that is missing is named.
    """
    if need is None:
        raise Forbidden("This route is closed: it does not say who may use it")
    if need is Admission.LOGGED_IN and caller.login is None:
        raise Forbidden("This is for who has logged in; a key will not do")
    if isinstance(need, Scope) and not caller.grants.allow(need):
        if caller.organization_id == NO_ORGANIZATION:
            raise BadRequest("Say by X-Org-Id in which of your organizations")
        raise InsufficientScope(need)


def challenge(error: DomainError) -> str | None:
    """The WWW-Authenticate header that goes with an error (RFC 6750); None for most."""
    if isinstance(error, Unauthorized):
        return f'{_REALM}, error="invalid_token"' if error.is_refused else _REALM
    if isinstance(error, InsufficientScope):
        return f'{_REALM}, error="insufficient_scope", scope="{error.scope}"'
    return None
