"""What a diagnosis is worded with: facts as JSON, times and names as people say them.  Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from common.domain.ids import Kind, show_id
from common.domain.situation import Loss, Situation, Step, TurnView
from common.domain.worker import Worker
from common.event_codec import show_optional_time, show_time

Json = dict[str, Any]


def turn_facts(turn: TurnView) -> Json:
    """The turn's row, less what names content."""
    return {
        "turn_id": shown_turn(turn),
        "turn_status": str(turn.status),
        "attempts": turn.attempt,
        "reclaims": turn.reclaims,
        "created_at": show_time(turn.created_at),
        "started_at": show_optional_time(turn.started_at),
        "ended_at": show_optional_time(turn.ended_at),
    }


def fleet_facts(found: Situation) -> Json:
    """The workers in numbers."""
    fleet = found.fleet
    return {
        "live": fleet.live,
        "draining": fleet.draining,
        "accepting": fleet.accepting,
        "capacity": fleet.capacity,
        "load": fleet.load,
    }


def worker_facts(turn: TurnView, holder: Worker | None) -> Json:
    """Who has the turn."""
    if holder is None:
        return {"id": turn.lease_owner}
    return {
        "id": turn.lease_owner,
        "hostname": holder.report.hostname,
        "pid": holder.report.pid,
        "version": holder.report.version,
        "last_heartbeat_at": show_time(holder.last_heartbeat_at),
    }


def step_facts(step: Step | None) -> Json | None:
    """What the turn is at."""
    if step is None:
        return None
    return {
        "kind": step.kind,
        "since": show_time(step.since),
        "model": step.model,
        "provider_id": step.provider_id,
        "tool_calls": [
            {"tool_call_id": call.id, "name": call.name, "since": show_time(call.since)}
            for call in step.calls
        ],
    }


def breaker_facts(found: Situation) -> Json | None:
    """The breaker of the provider that the turn asks."""
    if found.breaker is None:
        return None
    return {
        "key": found.breaker.provider_id,
        "state": str(found.breaker.state),
        "open_until": show_optional_time(found.breaker.open_until),
        "held_by_operator": found.breaker.is_held,
    }


def loss_facts(loss: Loss) -> Json:
    """How a worker was lost."""
    return {
        "worker": loss.worker,
        "at": show_time(loss.at),
        "error": loss.error,
        "place": loss.place,
    }


def how_lost(loss: Loss) -> str:
    """The same in words: what befell the turn."""
    worker = f"worker {loss.worker}" if loss.worker else "its worker"
    if loss.place is None:
        return f"lost {worker} at {show_time(loss.at)}"
    return f"broke with {loss.error} at {loss.place} on {worker}"


def holder_name(turn: TurnView, holder: Worker | None) -> str:
    """Who has the turn, in words."""
    if holder is None:
        return f"worker {turn.lease_owner or 'unknown'}"
    return f"worker {turn.lease_owner} ({holder.report.hostname}, process {holder.report.pid})"


def shown_turn(turn: TurnView) -> str:
    """Its id as it goes out."""
    return show_id(Kind.TURN, turn.id)


def at_time(moment: datetime | None) -> str:
    """` at <time>`, nothing when it is not known."""
    return "" if moment is None else f" at {show_time(moment)}"


def until_when(moment: datetime | None) -> str:
    """The time, or that there is none."""
    return "further notice" if moment is None else show_time(moment)


def seconds_since(found: Situation, moment: datetime) -> float:
    """Since then, by the database's clock; never negative."""
    return max(0.0, (found.now - moment).total_seconds())


def seconds_until(found: Situation, moment: datetime) -> float:
    """Until then, by the database's clock; negative when it is over."""
    return (moment - found.now).total_seconds()


def in_time(seconds: float) -> str:
    """When something is due that a sweep does."""
    return f"in {time_span(seconds)}" if seconds > 0 else "with the next sweep"


def time_span(seconds: float) -> str:
    """A time as people say it."""
    whole = max(0, round(seconds))
    if whole < 120:  # noqa: PLR2004 - two minutes
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    return f"{minutes} min" if minutes < 120 else f"{hours} h"  # noqa: PLR2004 - two hours


def tool_or_tools(count: int) -> str:
    """The word for so many."""
    return "tool" if count == 1 else "tools"


def capital(words: str) -> str:
    """As a sentence begins."""
    return words[:1].upper() + words[1:]


def lower(words: str) -> str:
    """As a sentence goes on."""
    return words[:1].lower() + words[1:]
