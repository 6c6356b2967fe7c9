"""The audit log: who did what to which resource, and what came of it.  Pure.

An entry names things by id and says nothing of what was in a request: no text, no secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from common.domain.ids import Kind, show_id

ADDRESS_CHARACTERS: Final = 64
# Stands for entries that could not be kept, or were too many of strangers.
UNLISTED: Final = "unlisted"


class ActorType(StrEnum):
    """As what somebody acts."""

    USER = "user"  # has logged in
    API_KEY = "api_key"
    AGENT_KEY = "agent_key"
    CONFIGURED_KEY = "configured_key"  # the one that the environment names
    ANONYMOUS = "anonymous"  # AUTH_MODE=none
    CLI = "cli"  # `everturn`, on the database itself
    UNKNOWN = "unknown"  # nobody knows who asks


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"  # 401, 403
    FAILED = "failed"  # any other error


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    Attributes:
        id: of the user or the key; None where there is none.
        on_behalf_of: the user whose key it is, or the agent that an agent key is for.
    """

    type: ActorType
    id: str | None = None
    on_behalf_of: str | None = None


NOBODY: Final = Actor(ActorType.UNKNOWN)
OPERATOR: Final = Actor(ActorType.CLI)


@dataclass(frozen=True, slots=True)
class Resource:
    """What is acted on, or comes of it; its id as answers show it."""

    type: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry.

    Attributes:
        organization_id: whose administrators read it; None: the operator does.
        action: the operation, as the OpenAPI document names it.
        method: of the request; None for what came by no request, as `route` and `status`.
        route: the template of its path.
        resources: those that the path names, outermost first, then the one that was made.
        address: from where; None from this machine's command line.
        count: how many acts it stands for.
    """

    id: UUID
    at: datetime
    organization_id: UUID | None
    actor: Actor
    action: str
    outcome: Outcome
    method: str | None = None
    route: str | None = None
    status: int | None = None
    resources: tuple[Resource, ...] = ()
    request_id: str | None = None
    address: str | None = None
    count: int = 1


def outcome_of(status: int) -> Outcome:
    """What a status says."""
    if status in (401, 403):
        return Outcome.REFUSED
    return Outcome.DONE if status < 400 else Outcome.FAILED  # noqa: PLR2004 - where errors begin


def shown(kind: Kind, value: UUID) -> Resource:
    """A resource of that kind."""
    return Resource(kind.name.lower(), show_id(kind, value))


def spellings(text: str) -> list[str]:
    """All that an entry may call what somebody names: ids have one form a kind there."""
    prefix, _, digits = text.strip().rpartition("_")
    try:
        value = UUID(hex=digits)
    except ValueError:
        return [text.strip()]
    kinds = [kind for kind in Kind if not prefix or kind.value == prefix.lower()]
    return [show_id(kind, value) for kind in kinds] or [text.strip()]
