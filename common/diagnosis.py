"""Say in one sentence why a session does not go on, with what shows it.  Pure.

Read by people and by programs: a code that does not change, a sentence, the facts it rests
on, and what may be done about it.  No content of the conversation (I10).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from common.diagnosis_words import (
    Json,
    at_time,
    breaker_facts,
    capital,
    fleet_facts,
    holder_name,
    how_lost,
    in_time,
    loss_facts,
    lower,
    seconds_since,
    seconds_until,
    shown_turn,
    step_facts,
    time_span,
    tool_or_tools,
    turn_facts,
    until_when,
    worker_facts,
)
from common.domain.ids import Kind, show_id
from common.domain.provider_breaker import BreakerState
from common.domain.situation import Situation, Step, TurnView
from common.domain.turn import TurnStatus
from common.domain.waiting import WaitKind
from common.event_codec import show_time

# A wake-up is taken within milliseconds; the broker may have lost it all the same.
_PROMPT_SECONDS: Final = 10.0
_ENDINGS: Final = {
    TurnStatus.COMPLETED: "was answered",
    TurnStatus.CANCELLED: "was cancelled",
}

_REACH_BROKER: Final = "Start Redis, or correct BROKER_URL; the turn is sent again by itself"
_RESTART_WORKERS: Final = "Restart the workers; kill those that do not leave by themselves"
_RESUME_WORKER: Final = "Resume one: POST /v1/durable/workers/{id}/resume"
_START_WORKERS: Final = "Start workers: everturn worker"
_END_SILENT: Final = (
    "End processes that are there and silent (GET /v1/durable/workers has their pid), so that"
    " whatever runs them starts others"
)
_START_SWEEPER: Final = "Start a sweeper (everturn sweeper), or run: everturn doctor --fix"
_CANCEL: Final = "Cancel it if it takes too long: POST /v1/durable/workflows/{}/cancel"
_RETRY: Final = "Find and fix what broke it, then retry: POST /v1/durable/dlq/{}/retry"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take here, from the settings."""

    lease_seconds: float
    sweep_seconds: float

    @property
    def recovery_seconds(self) -> float:
        """From an expired lease to a sweeper that has surely seen it."""
        return self.lease_seconds + 2 * self.sweep_seconds + 5


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a session does not go on, or that there is nothing to do.

    Attributes:
        code: one of those in docs/operations.md.
        evidence: what the sentence rests on.
        suggestions: what may be done, best first; empty when nothing need be.
        is_stuck: it will not go on by itself.
    """

    code: str
    message: str
    evidence: Json = field(default_factory=dict)
    suggestions: tuple[str, ...] = ()
    is_stuck: bool = False


def diagnose(found: Situation, timing: Timing) -> Diagnosis:
    """Name the cause."""
    turn = found.turn
    if turn is None:
        return Diagnosis("idle", "Nothing to do: this session has no turn yet.")
    match turn.status:
        case TurnStatus.QUEUED:
            named = _queued(found, turn, timing)
        case TurnStatus.RUNNING:
            named = _running(found, turn, timing)
        case TurnStatus.WAITING:
            named = _waiting(found, turn, timing)
        case TurnStatus.SEALED:
            named = _sealed(turn)
        case TurnStatus.FAILED:
            named = _failed(found, turn)
        case TurnStatus.COMPLETED | TurnStatus.CANCELLED:
            ending = _ENDINGS[turn.status] + at_time(turn.ended_at)
            named = Diagnosis("idle", f"Nothing to do: the newest message {ending}.")
    evidence = {"as_of": show_time(found.now), **turn_facts(turn), **named.evidence}
    return replace(named, evidence=evidence)


# --- queued ------------------------------------------------------------------------


def _queued(found: Situation, turn: TurnView, timing: Timing) -> Diagnosis:
    waits, due = seconds_since(found, turn.created_at), seconds_until(found, turn.available_at)
    evidence: Json = {
        "queued_seconds": round(waits, 1),
        "turns_ahead": found.ahead,
        "sends": turn.sends,
        "sent_again_at": show_time(turn.available_at),
        "backlog": found.backlog,
        "workers": fleet_facts(found),
        "losses": [loss_facts(loss) for loss in turn.losses],
    }
    place = f"Turn {shown_turn(turn)} has waited in the queue for {time_span(waits)}"
    held_up = _without_workers(found, place) or _not_consumed(found, place, waits, due, timing)
    if held_up is not None:
        return replace(held_up, evidence=evidence)
    again = f"it is sent again {in_time(due)}"
    if turn.losses and turn.attempt > 0 and not turn.handed_over:
        said = f"Turn {shown_turn(turn)} {how_lost(turn.losses[-1])}, and was taken back; {again}."
        return Diagnosis("worker_lost", said, evidence)
    return Diagnosis("queued", f"{place} behind {found.ahead} others; {again}.", evidence)


def _without_workers(found: Situation, place: str) -> Diagnosis | None:
    fleet = found.fleet
    if fleet.live == 0:
        said = f"{place}, and nobody consumes the queue: there is no live worker."
        may = (_START_WORKERS, _END_SILENT)
        return Diagnosis("no_live_worker", said, suggestions=may, is_stuck=True)
    if fleet.live == fleet.draining:
        said = f"{place}: all {fleet.live} live workers are draining and take no turns."
        may = (_RESUME_WORKER, _START_WORKERS)
        return Diagnosis("workers_draining", said, suggestions=may, is_stuck=True)
    if fleet.accepting == 0:
        said = f"{place} behind {found.ahead} others: all {fleet.capacity} places are taken."
        return Diagnosis("workers_full", said, suggestions=(_START_WORKERS,))
    return None


def _not_consumed(
    found: Situation, place: str, waits: float, due: float, timing: Timing
) -> Diagnosis | None:
    """There are workers with room, and still nobody takes it."""
    if due < -timing.recovery_seconds:
        said = f"{place} and was to be sent again {time_span(-due)} ago: no sweeper seems to run."
        return Diagnosis("no_sweeper", said, suggestions=(_START_SWEEPER,), is_stuck=True)
    if waits <= _PROMPT_SECONDS:
        return None
    if found.backlog is None:
        said = f"{place}: the broker cannot be reached, so nobody can be told of it."
        return Diagnosis("broker_away", said, suggestions=(_REACH_BROKER,), is_stuck=True)
    if found.backlog > 0:
        said = (
            f"{place}: {found.backlog} wake-ups lie in the broker, and {found.fleet.accepting}"
            " workers with free places do not take them."
        )
        may = (_RESTART_WORKERS,)
        return Diagnosis("queue_not_consumed", said, suggestions=may, is_stuck=True)
    return None


# --- running -----------------------------------------------------------------------


def _running(found: Situation, turn: TurnView, timing: Timing) -> Diagnosis:
    lease_until = turn.lease_until or found.now
    evidence: Json = {
        "worker": worker_facts(turn, found.holder),
        "lease_until": show_time(lease_until),
        "step": step_facts(found.step),
        "breaker": breaker_facts(found),
    }
    expired = -seconds_until(found, lease_until)
    named = _expired(found, turn, expired, timing) if expired > 0 else _at_work(found, turn)
    return replace(named, evidence=evidence)


def _at_work(found: Situation, turn: TurnView) -> Diagnosis:
    name, step = holder_name(turn, found.holder), _step_said(found, found.step)
    silent = f", last heard{at_time(found.holder.last_heartbeat_at)}" if found.holder else ""
    if found.breaker is not None and found.breaker.state is BreakerState.OPEN:
        step += f", whose circuit breaker is open until {until_when(found.breaker.open_until)}"
    said = f"Turn {shown_turn(turn)} runs on {name}{silent}: {step}."
    return Diagnosis("running", said, suggestions=(_CANCEL.format(shown_turn(turn)),))


def _expired(found: Situation, turn: TurnView, expired_seconds: float, timing: Timing) -> Diagnosis:
    """The lease ran out: the worker is lost, or lives and its step is long past its deadline."""
    name, holder = capital(holder_name(turn, found.holder)), found.holder
    ran_out = f"its lease on turn {shown_turn(turn)} ran out {time_span(expired_seconds)} ago"
    expires = turn.lease_until or found.now
    if holder is not None and holder.last_heartbeat_at > expires:
        code, lost = "step_overran", f"{name} lives, but its step overran its deadline: {ran_out}"
    else:
        at = at_time(holder.last_heartbeat_at if holder else None)
        code, lost = "worker_lost", f"{name} was lost{at}: {ran_out}"
    if expired_seconds > timing.recovery_seconds:
        said = f"{lost}, and nobody took the turn back: no sweeper seems to run."
        return Diagnosis("no_sweeper", said, suggestions=(_START_SWEEPER,), is_stuck=True)
    soon = time_span(timing.sweep_seconds)
    return Diagnosis(code, f"{lost}; it is taken back within about {soon}.")


def _step_said(found: Situation, step: Step | None) -> str:
    if step is None:
        return "it has just begun"
    took = time_span(seconds_since(found, step.since))
    if step.kind == "model":
        provider = f"provider {step.provider}" if step.provider else "its provider"
        model = f" (model {step.model})" if step.model else ""
        return f"it has waited for {provider}{model} for {took}"
    if step.kind == "tools" and step.calls:
        calls = ", ".join(
            f"{call.name} ({call.id}) for {time_span(seconds_since(found, call.since))}"
            for call in step.calls
        )
        return f"it runs {tool_or_tools(len(step.calls))} {calls}"
    return f"it is between two steps since {took}"


# --- waiting -----------------------------------------------------------------------


def _waiting(found: Situation, turn: TurnView, timing: Timing) -> Diagnosis:
    asked = found.waiting
    until = turn.waiting_until or found.now
    over = -seconds_until(found, until)
    pending = [] if asked is None else list(asked.pending)
    is_approval = asked is not None and asked.kind is WaitKind.DECISIONS
    evidence: Json = {
        "waiting_until": show_time(until),
        "pending": [{"tool_call_id": call.id, "name": call.name} for call in pending],
        "requested_at": None if asked is None else show_time(asked.requested_at),
    }
    calls = ", ".join(f"{call.name} ({call.id})" for call in pending) or "a call"
    wanted = "a person to allow" if is_approval else "the client's result of"
    if over > timing.recovery_seconds:
        said = (
            f"Turn {shown_turn(turn)} has waited for {wanted} {calls}; the time for that was over"
            f" {time_span(over)} ago, and nobody let it go on: no sweeper seems to run."
        )
        return Diagnosis("no_sweeper", said, evidence, (_START_SWEEPER,), is_stuck=True)
    said = f"Turn {shown_turn(turn)} waits for {wanted} {calls} until {show_time(until)}."
    path = "tool-approvals" if is_approval else "tool-results"
    code = "waiting_for_approval" if is_approval else "waiting_for_tool_results"
    session = show_id(Kind.SESSION, turn.session_id)
    answer = f"Answer it: POST /v1/sessions/{session}/{path}; a new message overtakes it"
    return Diagnosis(code, said, evidence, (answer,))


# --- ended -------------------------------------------------------------------------


def _sealed(turn: TurnView) -> Diagnosis:
    entry = show_id(Kind.DEAD_LETTER, turn.id)
    why = f"the last time it {how_lost(turn.losses[-1])}" if turn.losses else "it lost its workers"
    sealed = f"Turn {shown_turn(turn)} was sealed{at_time(turn.ended_at)}"
    said = f"{sealed} after {turn.attempt} attempts and is dead letter {entry}: {why}."
    evidence = {"dead_letter_id": entry, "losses": [loss_facts(loss) for loss in turn.losses]}
    return Diagnosis("dead_letter", said, evidence, (_RETRY.format(entry),))


def _failed(found: Situation, turn: TurnView) -> Diagnosis:
    evidence: Json = {"failure": found.failure, "step": step_facts(found.step)}
    ended = f"Turn {shown_turn(turn)} failed{at_time(turn.ended_at)} ({found.failure or 'unknown'})"
    send = "Send the message again"
    breaker, step = found.breaker, found.step
    if breaker is None or breaker.state is not BreakerState.OPEN:
        return Diagnosis("turn_failed", f"Nothing runs: {lower(ended)}.", evidence, (send,))
    evidence["breaker"] = breaker_facts(found)
    provider = (step.provider if step else None) or breaker.provider_id
    said = (
        f"{ended}, and the circuit breaker of provider {provider} is open until"
        f" {until_when(breaker.open_until)}."
    )
    close = f"Close it: POST /v1/durable/circuit-breakers/{breaker.provider_id}/close"
    return Diagnosis("breaker_open", said, evidence, (f"{send} then", close))
