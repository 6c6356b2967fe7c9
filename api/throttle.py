"""Who asks too often is told so.

By address before anything is looked up, then by key and organization.
A request of a caller that this process knows costs one round trip to Redis for all three;
none where no limit applies, as for whoever calls from this machine with AUTH_MODE=none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from api.auth import Caller, Presented
from api.client_address import client_address, counted_address
from api.gate import Gate
from api.rate_counts import WINDOW_SECONDS, Count, RateCounts, Standing
from common.domain.errors import DomainError, RateLimited
from common.domain.ids import NO_ORGANIZATION
from common.settings import Settings

_ADDRESS, _KEY, _ORGANIZATION = "address", "key", "organization"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: the connection's other end, and all X-Forwarded-For."""

    peer: str
    forwarded: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller that was let in, and how what it is counted in stands."""

    caller: Caller
    standings: tuple[Standing, ...] = ()


class Throttle:
    """Thread-safe."""

    def __init__(self, settings: Settings, counts: RateCounts | None) -> None:
        self._counts = counts
        self._hops = settings.trusted_proxy_hops
        self._per_address = settings.rate_limit_api_requests_per_minute
        self._per_key = settings.rate_limit_key_requests_per_minute
        self._per_organization = settings.rate_limit_org_requests_per_minute
        self._knows_callers = settings.auth_mode != "none"

    def concerns(self, origin: Origin) -> bool:
        """Whether a request from there may be counted at all: that is a round trip."""
        by_caller = self._knows_callers and (self._per_key or self._per_organization)
        return self._counts is not None and bool(by_caller or self._of_address(origin))

    def admit(self, gate: Gate, presented: Presented, origin: Origin) -> Admitted:
        """Let a caller in through the gate; may ask Redis, and the gate the database.

        Raises:
            NotFound, Unauthorized: as the gate.
            RateLimited: too often.
        """
        here = self._of_address(origin)
        try:
            caller = gate.recall(presented)
        except DomainError:
            # Whoever tries keys is counted too.
            self._charge(here)
            raise
        if caller is not None:
            return Admitted(caller, self._charge([*here, *self._of_caller(caller)]))
        before = self._charge(here)
        caller = gate.admit(presented)
        return Admitted(caller, before + self._charge(self._of_caller(caller)))

    def visit(self, origin: Origin) -> tuple[Standing, ...]:
        """Count a request to a route that asks nobody who they are.

        Raises:
            RateLimited: too often.
        """
        return self._charge(self._of_address(origin))

    def _charge(self, counts: Sequence[Count]) -> tuple[Standing, ...]:
        standings = () if self._counts is None else self._counts.add(counts)
        exceeded = [standing for standing in standings if standing.is_exceeded]
        if exceeded:
            first = exceeded[0]
            _log.info("rate_limited", by=first.count.name)
            raise RateLimited(
                f"Too many requests of this {first.count.name}:"
                f" at most {first.count.most} a minute",
                retry_after_seconds=max(standing.reset_seconds for standing in exceeded),
                headers=rate_headers(standings),
            )
        return standings

    def _of_address(self, origin: Origin) -> list[Count]:
        if not self._per_address:
            return []
        address = client_address(origin.peer, origin.forwarded, hops=self._hops)
        counted = counted_address(address, peer=origin.peer)
        return [] if counted is None else [Count(_ADDRESS, counted, self._per_address)]

    def _of_caller(self, caller: Caller) -> list[Count]:
        if not self._knows_callers:
            return []
        counts = []
        if self._per_key and caller.key_id is not None:
            counts.append(Count(_KEY, caller.key_id.hex, self._per_key))
        if self._per_organization and caller.organization_id != NO_ORGANIZATION:
            organization = caller.organization_id.hex
            counts.append(Count(_ORGANIZATION, organization, self._per_organization))
        return counts


def rate_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """RateLimit and RateLimit-Policy, as the IETF's draft has them; nothing for nothing."""
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            f'"{each.count.name}";q={each.count.most};w={WINDOW_SECONDS}' for each in standings
        ),
        "RateLimit": ", ".join(
            f'"{each.count.name}";r={each.remaining};t={each.reset_seconds}' for each in standings
        ),
    }
