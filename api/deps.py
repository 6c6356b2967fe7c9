"""What the views and use cases are given, built once a process by `api.bootstrap`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, cast
from uuid import UUID

from flask import current_app, g
from redis import Redis

from api.audit_trail import AuditTrail
from api.login_limits import LoginLimits
from api.metrics import ApiMetrics
from api.pressure import Pressure
from api.rate_counts import RateCounts
from common.blobs.store import BlobStore
from common.domain.turn_task import TaskLabel
from common.encryption import SecretBox
from common.event_codec import LoggedEvent
from common.examination import Examiner
from common.images.workshop import Workshop
from common.passwords import Passwords
from common.settings import Settings
from common.storage.engine import Database
from common.tracing import Tracer

_EXTENSION: Final = "everturn"


class Publisher(Protocol):
    """Tells subscribers and workers; never raises, never blocks for long."""

    def publish(self, session_id: UUID, events: Sequence[LoggedEvent]) -> None:
        """Tell subscribers of committed events."""

    def publish_gone(self, session_id: UUID) -> None:
        """Tell subscribers that the session was deleted."""

    def cancel(self, turn_id: UUID) -> None:
        """Ask the turn's worker to stop."""

    def look(self, worker_id: UUID) -> None:
        """Ask a worker to read at once what is wanted of it."""

    def revoke(self, revoked: UUID) -> None:
        """Let every process forget a key, a login or a user."""


class TurnSender(Protocol):
    """Wakes a worker for a queued turn; never raises, never blocks for long."""

    def send(self, turn_id: UUID, *, label: TaskLabel | None = None) -> bool:
        """Whether the wake-up went out; the label is for people who look at the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything that reaches outside the process.

    Attributes:
        new_id: makes a UUIDv7.
        reach_redis: returns when Redis answers, raises OSError or RedisError when not.
        redis: where revoked keys are heard of; None: PostgreSQL alone tells.
        rates: where requests are counted; None: they are not.
        pressure: says whether one turn more can be taken on; None: it always can.
        trail: takes entries of the audit log; None: none is kept.
        passwords: hashes them, a few at a time.
        login_limits: counts how often somebody tries to get in.
        secrets: without a master key nothing secret can be stored.
        blobs: where uploads are kept.
        workshop: looks into images.
        examiner: says why a session does not go on; its `breakers` are the providers'.
    """

    settings: Settings
    database: Database
    live: Publisher
    queue: TurnSender
    new_id: Callable[[], UUID]
    reach_redis: Callable[[], object]
    version: str
    blobs: BlobStore
    workshop: Workshop
    examiner: Examiner
    redis: Redis | None = None
    rates: RateCounts | None = None
    pressure: Pressure | None = None
    trail: AuditTrail | None = None
    secrets: SecretBox = field(default_factory=lambda: SecretBox(None))
    metrics: ApiMetrics = field(default_factory=ApiMetrics)
    tracer: Tracer = field(default_factory=Tracer)
    passwords: Passwords = field(default_factory=Passwords)
    login_limits: LoginLimits = field(default_factory=LoginLimits)


def install(extensions: dict[str, object], deps: Deps) -> None:
    """Make the dependencies known to an application."""
    extensions[_EXTENSION] = deps


def current_deps() -> Deps:
    """The dependencies of this request: its database is its organization's once that is known."""
    return cast(Deps, g.get(_EXTENSION) or current_app.extensions[_EXTENSION])


def confine(organization_id: UUID) -> None:
    """Let the rest of this request see that organization's rows alone."""
    deps = cast(Deps, current_app.extensions[_EXTENSION])
    vars(g)[_EXTENSION] = replace(deps, database=deps.database.of(organization_id))
