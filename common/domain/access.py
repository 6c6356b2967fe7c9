"""Who may do what: scopes, the keys that grant them, and how a key is written.  Pure.

A scope is a family of routes and what is done there, `sessions:read`.  A key is granted
scopes or patterns of them (`*`, `sessions:*`, `*:read`); a route needs one scope.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from common.domain.ids import OPERATOR_PRINCIPAL


class Scope(StrEnum):
    """What a route needs to be granted."""

    AGENTS_READ = "agents:read"
    AGENTS_WRITE = "agents:write"
    AUDIT_READ = "audit:read"
    CAPABILITIES_READ = "capabilities:read"
    CHANNELS_USE = "channels:use"
    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    HARNESSES_READ = "harnesses:read"
    HARNESSES_WRITE = "harnesses:write"
    IMAGES_READ = "images:read"
    IMAGES_WRITE = "images:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    MCP_SERVERS_READ = "mcp-servers:read"
    MCP_SERVERS_WRITE = "mcp-servers:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_WRITE = "operations:write"
    ORGANIZATIONS_READ = "organizations:read"
    ORGANIZATIONS_WRITE = "organizations:write"
    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"
    SESSIONS_APPROVE = "sessions:approve"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


class Admission(Enum):
    """What a route asks for that needs no scope."""

    PUBLIC = "public"  # nobody is asked who they are
    ANYONE = "anyone"  # whoever is known, whatever they are granted
    LOGGED_IN = "logged in"  # a person who has logged in: a key will not do


Need = Scope | Admission

ALL: Final = "*"
_SCOPES: Final = frozenset(scope.value for scope in Scope)
# Says where everybody was and when: to be granted by its own name, not among all that is read.
_APART: Final = frozenset({Scope.AUDIT_READ.value})
_WILDCARDS: Final = frozenset(
    pattern
    for scope in Scope
    for family, _, deed in [scope.partition(":")]
    for pattern in (f"{family}:{ALL}", f"{ALL}:{deed}")
)


@dataclass(frozen=True, slots=True)
class Grants:
    """Scopes and patterns of them that a caller is granted.

    Attributes:
        within: of these no more than those; None: all of them.
    """

    names: tuple[str, ...]
    within: Grants | None = None

    def allow(self, need: Need) -> bool:
        """Whether a route that needs this may be used."""
        if isinstance(need, Admission):
            return True
        return self._have(need) and (self.within is None or self.within.allow(need))

    def cover(self, others: Grants) -> bool:
        """Whether these may be passed on as those: none of them says more, now or later."""
        if self.within is not None and not self.within.cover(others):
            return False
        return all(self._have(name) for name in others.names)

    @property
    def shown(self) -> list[str]:
        """What they come to: scopes, or patterns where they hold as they stand."""
        if self.within is None or ALL in self.within.names:
            return list(self.names)
        return [scope.value for scope in Scope if self.allow(scope)]

    def _have(self, name: str) -> bool:
        if ALL in self.names or name in self.names:
            return True
        if name == ALL or name in _WILDCARDS:
            return False
        family, _, deed = name.partition(":")
        if f"{family}:{ALL}" in self.names:
            return True
        return f"{ALL}:{deed}" in self.names and name not in _APART


EVERYTHING: Final = Grants((ALL,))
NOTHING: Final = Grants(())
AN_AGENT: Final = Grants((Scope.CHANNELS_USE.value,))
# Of a user who has not said in which of their organizations.
HOMELESS: Final = Grants((Scope.ORGANIZATIONS_READ.value,))


class Role(StrEnum):
    """What a user is in an organization."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


# An admin differs from an owner only in that it makes and unmakes no owners.
GRANTS_OF: Final[dict[Role, Grants]] = {
    Role.OWNER: EVERYTHING,
    Role.ADMIN: EVERYTHING,
    Role.MEMBER: Grants(
        (
            "*:read",
            "agents:*",
            "channels:use",
            "files:*",
            "harnesses:*",
            "images:*",
            "keys:*",
            "sessions:*",
        )
    ),
    Role.VIEWER: Grants(("*:read",)),
}


def is_grant(name: str) -> bool:
    """Whether a key can be granted this."""
    return name == ALL or name in _WILDCARDS or name in _SCOPES


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: never its text.

    Attributes:
        organization_id: the only one it can be used in.
        principal_id: on whose behalf it is used.
        agent_id: of an agent key: whose sessions it is for, and no others.
        prefix: how its text begins, for people to tell keys apart.
        expires_at: None: never.
        last_used_at: to the minute or so.
        role: of the user whose key it is, in the organization; None: no user's.
    """

    id: UUID
    organization_id: UUID
    principal_id: UUID
    name: str
    prefix: str
    grants: Grants
    created_at: datetime
    agent_id: UUID | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    role: Role | None = None

    @property
    def granted(self) -> Grants:
        """What may be done with it: never more than its user may do now."""
        return self.grants if self.role is None else Grants(self.grants.names, GRANTS_OF[self.role])

    @property
    def is_operators(self) -> bool:
        """Whether whoever runs the installation has made it."""
        return self.principal_id == OPERATOR_PRINCIPAL


NAME_CHARACTERS: Final = 100
# Of one principal in one organization.
MOST_KEYS: Final = 25
LONGEST_DAYS: Final = 3650
# Of a key that others made; ours have 256 random bits.
LEAST_CHARACTERS: Final = 32
MOST_CHARACTERS: Final = 4096

_PERSONAL: Final = "evr_pat_"
_AGENTS: Final = "evr_ak_"
_PRINCIPALS: Final = UUID("b9c7a1de-5b0e-5e55-8a44-90f5d4a1c2f3")
_SHOWN_DIGITS: Final = 8
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_SCHEME: Final = re.compile(r"(?:bearer|apikey)(?:\s+|$)", re.IGNORECASE)


class InvalidKey(ValueError):
    """The text is neither a key that is hard to guess nor the hash of one."""


def key_text(secret: bytes, *, is_agents: bool = False) -> str:
    """The text of a key, made of 32 random bytes."""
    return f"{_AGENTS if is_agents else _PERSONAL}{secret.hex()}"


def agent_principal(agent_id: UUID) -> UUID:
    """On whose behalf an agent's keys are used: the same for all of them, now and later."""
    return uuid5(_PRINCIPALS, agent_id.hex)


def shown_prefix(text: str) -> str:
    """What may be shown of a key for ever."""
    start = len(_AGENTS) if text.startswith(_AGENTS) else len(_PERSONAL)
    return f"{text[: start + _SHOWN_DIGITS]}..."


def digest_of(text: str) -> str:
    """What is kept of a key: SHA-256 in hex, enough for a text that cannot be guessed."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def parse_digest(text: str) -> str:
    """The digest of a key that is configured as its text or as `sha256:<hex>`.

    Raises:
        InvalidKey: it is too short or too long for either.
    """
    given = text.strip()
    if (hashed := _DIGEST.fullmatch(given)) is not None:
        return hashed[1]
    if not LEAST_CHARACTERS <= len(given) <= MOST_CHARACTERS:
        raise InvalidKey(f"must have at least {LEAST_CHARACTERS} characters, or be sha256:<hex>")
    return digest_of(given)


def is_same(one: str, other: str) -> bool:
    """Whether two digests are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def read_credential(authorization: str | None) -> str | None:
    """The credential of a header: behind `Bearer` or `ApiKey`, or the whole (contract 2.1)."""
    given = (authorization or "").strip()
    scheme = _SCHEME.match(given)
    return (given if scheme is None else given[scheme.end() :]) or None


def has_scheme(authorization: str | None) -> bool:
    """Whether the header says of what kind its credential is."""
    return _SCHEME.match((authorization or "").strip()) is not None
