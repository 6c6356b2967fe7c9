"""What the circuit breaker of a model provider says, read from what workers keep of it.  Pure.

How it opens and closes is `worker.llm_breaker`'s, by the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

# Failures within a window that open it, and how long it stays so (contract 5.3).
THRESHOLD: Final = 5
WINDOW_MS: Final = 60_000
OPEN_MS: Final = 30_000
# How long one that a person opened stays so, unless it is closed before.
HELD_OPEN_MS: Final = 24 * 3600 * 1000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BreakerState(StrEnum):
    """`half_open` lets single calls through, on trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBreaker:
    """The breaker of one provider at one moment.

    Attributes:
        provider_id: shown form.
        failure_count: of the last minute; of an open one as many as opened it.
        success_count: of calls on trial.
        open_until: when the first call on trial is let through, None when it is not open.
        is_held: a person opened it.
        updated_at: when it last changed, None when nothing is known of it.
    """

    provider_id: str
    state: BreakerState = BreakerState.CLOSED
    failure_count: int = 0
    success_count: int = 0
    opened_at: datetime | None = None
    half_open_at: datetime | None = None
    last_failure_at: datetime | None = None
    open_until: datetime | None = None
    is_held: bool = False
    updated_at: datetime | None = None


def read_breaker(provider_id: str, fields: Mapping[str, str], *, now_ms: int) -> ProviderBreaker:
    """The breaker from its hash, which is empty when nothing went wrong lately."""
    if "opened" in fields:
        return _opened(provider_id, fields, now_ms)
    failures = [int(each) for each in fields.get("failures", "").split()]
    last = _time(max(failures)) if failures else None
    return ProviderBreaker(
        provider_id=provider_id,
        failure_count=sum(now_ms - each < WINDOW_MS for each in failures),
        last_failure_at=last,
        updated_at=last,
    )


def _opened(provider_id: str, fields: Mapping[str, str], now_ms: int) -> ProviderBreaker:
    ends = int(fields["opened"]) + OPEN_MS
    is_open = now_ms < ends
    is_held = is_open and "held" in fields
    opened_at = _time(int(fields["held"]) if is_held else int(fields["opened"]))
    trial = _time(int(fields["trial"])) if "trial" in fields else None
    return ProviderBreaker(
        provider_id=provider_id,
        state=BreakerState.OPEN if is_open else BreakerState.HALF_OPEN,
        failure_count=0 if is_held else THRESHOLD,
        success_count=int(fields.get("good", 0)),
        opened_at=opened_at,
        half_open_at=None if is_open else _time(ends),
        last_failure_at=None if is_held else opened_at,
        open_until=_time(ends) if is_open else None,
        is_held=is_held,
        updated_at=max(opened_at, trial or opened_at),
    )


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
