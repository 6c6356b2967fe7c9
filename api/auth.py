"""Who calls: the organization, the principal and the dialect, from headers alone.

In mode `none` everyone is the anonymous principal, and whatever credential comes is
accepted and ignored: the official SDK always sends one (contract 2.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final, Literal
from uuid import UUID

from common.domain.errors import InvalidId, NotFound
from common.domain.ids import ANONYMOUS_PRINCIPAL, DEFAULT_ORGANIZATION, Kind, parse_id

Dialect = Literal["seed", "sdk"]

_SCHEME: Final = re.compile(r"(?:bearer|apikey)(?:\s|$)", re.IGNORECASE)
_KNOWN_AT_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose resources a request sees, and how it likes them spelled.

    Attributes:
        dialect: `sdk` for the official SDK, which knows tool messages by another role.
    """

    organization_id: UUID
    principal_id: UUID
    dialect: Dialect


class Organizations:
    """Organizations that are known to exist, so that a look-up is paid for once.

    They are never deleted, so what was found stays true.  Thread-safe.
    """

    def __init__(self, exists: Callable[[UUID], bool]) -> None:
        self._exists = exists
        self._known = {DEFAULT_ORGANIZATION}
        self._lock = Lock()

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


def read_caller(
    headers: Mapping[str, str], *, dialect: str | None, organizations: Organizations
) -> Caller:
    """The caller of a request; `dialect` is the query parameter of that name.

    Raises:
        NotFound: X-Org-Id names no organization.
    """
    return Caller(
        organization_id=_organization(headers.get("X-Org-Id"), organizations),
        principal_id=ANONYMOUS_PRINCIPAL,
        dialect=dialect_of(headers.get("Authorization"), asked=dialect),
    )


def dialect_of(authorization: str | None, *, asked: str | None) -> Dialect:
    """`sdk` when asked for, or when the key comes bare: only the SDKs send it so (T1)."""
    if asked in ("sdk", "seed"):
        return "sdk" if asked == "sdk" else "seed"
    key = (authorization or "").strip()
    return "sdk" if key and _SCHEME.match(key) is None else "seed"


def _organization(named: str | None, organizations: Organizations) -> UUID:
    if named is None or not named.strip():
        return DEFAULT_ORGANIZATION
    try:
        organization_id = parse_id(Kind.ORGANIZATION, named)
    except InvalidId as malformed:
        raise NotFound("Organization not found") from malformed
    if not organizations.has(organization_id):
        raise NotFound("Organization not found")
    return organization_id
