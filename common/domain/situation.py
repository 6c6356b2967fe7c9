"""What is known of a session when somebody asks why nothing happens.  Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.domain.provider_breaker import ProviderBreaker
from common.domain.turn import TurnStatus
from common.domain.waiting import Waiting
from common.domain.worker import Fleet, Worker


@dataclass(frozen=True, slots=True)
class Loss:
    """How a turn lost a worker; `error` is `worker_lost` or the class of what broke it.

    Attributes:
        place: where that was raised, None for a worker that fell silent.
    """

    worker: str | None
    at: datetime
    error: str
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """A turn's row.

    Attributes:
        available_at: when it is sent again, while it is queued.
        losses: the last ones, oldest first.
    """

    id: UUID
    session_id: UUID
    organization_id: UUID
    status: TurnStatus
    created_at: datetime
    available_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    waiting_until: datetime | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None
    sends: int = 0
    attempt: int = 0
    reclaims: int = 0
    handed_over: bool = False
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class RunningCall:
    """A tool call that was begun and has no result yet."""

    id: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a running turn is at.

    Attributes:
        provider_id: shown form; None when it is not known, as is `provider`, its name.
    """

    kind: Literal["model", "tools", "between"]
    since: datetime
    model: str | None = None
    provider_id: str | None = None
    provider: str | None = None
    calls: tuple[RunningCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A session's newest turn and what it depends on, as of `now` (the database's clock).

    Attributes:
        turn: None when there was none yet.
        holder: the worker that has the turn, None when none has or it is not known any more.
        ahead: queued turns that came before this one.
        step: of a running turn, and the last one of a turn that failed.
        failure: why the turn failed, as its event says.
        backlog: wake-ups in the broker that nobody took, None when it cannot be asked.
    """

    session_id: UUID
    now: datetime
    fleet: Fleet
    turn: TurnView | None = None
    holder: Worker | None = None
    ahead: int = 0
    step: Step | None = None
    waiting: Waiting | None = None
    failure: str | None = None
    breaker: ProviderBreaker | None = None
    backlog: int | None = None
