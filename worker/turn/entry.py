"""Take a turn and run it as far as this worker can: claim, begin or resume, run, hand over.

A new turn is claimed and started in one transaction; one that is taken over is claimed
first and folded after that commit, when nobody else can write any more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import structlog

from common import clock
from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType, Json
from common.domain.ids import Kind, show_id
from common.domain.turn import Claim, SessionStatus, TurnStatus
from common.domain.turn_task import TaskLabel
from common.event_codec import LoggedEvent, milliseconds
from common.logs import place_of
from common.storage import beginnings, configs, fair_share, log, turns
from common.storage.engine import DatabaseError, Tx, is_passing_outage, narrow, sqlstate
from worker.lease import Lease
from worker.turn.assembly import Assembly, Surroundings, assemble
from worker.turn.config import TurnConfig
from worker.turn.conversation import asks_to_think
from worker.turn.narration import sealing
from worker.turn.prompt_pin import digest_in
from worker.turn.reasoning import Interrupted
from worker.turn.resolution import resolve
from worker.turn.runner import HandOver
from worker.turn.session_log import SessionLog

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a turn on this worker.

    Attributes:
        outcome: a turn's status, or `handed_over`, `taken_away`, `not_queued`, `leaving`;
            with `is_fault` what went wrong on our side.
        claim: None when it was not taken.
    """

    outcome: str
    claim: Claim | None = None
    is_fault: bool = False


def run_turn(turn_id: UUID, around: Surroundings) -> Ran:
    """Run a queued turn, this one or the one whose turn it is; nothing when there is none.

    Raises:
        common.storage.engine.DatabaseError: the database failed before the turn was held; it
            is queued again, at the latest when its lease has run out.
    """
    if around.shutdown.has_begun:
        # The wake-up is used up: without another one the turn would wait for the sweeper.
        around.turn_queue.send(turn_id)
        return Ran("leaving")
    before = time.monotonic()
    claim: Claim | None = None
    try:
        with around.database.transaction() as tx:
            claim = _claim_fairly(tx, turn_id, around)
            if claim is None:
                return Ran("not_queued")
            lease = Lease(claim, valid_until=before + around.settings.lease_seconds)
            narrow(tx, claim.organization_id)
            around = replace(around, database=around.database.of(claim.organization_id))
            started = _begin(tx, lease, around) if claim.attempt == 1 else None
    # A turn that cannot even begin would be sent again for ever (I6).
    except Exception as failure:
        if not is_passing_outage(failure):
            _seal(turn_id if claim is None else claim.turn_id, failure, around)
        raise
    around.leases.hold(lease)
    try:
        with structlog.contextvars.bound_contextvars(**_ids(claim)):
            return Ran(_go_on(lease, started, around), claim)
    except LeaseLost:
        _log.info("turn_taken_away", turn_id=str(claim.turn_id), epoch=claim.epoch)
        return Ran("taken_away", claim)
    finally:
        around.leases.release(lease)


def _ids(claim: Claim) -> dict[str, str | int]:
    """What every line of the log says while the turn runs."""
    return {
        "turn_id": str(claim.turn_id),
        "session_id": str(claim.session_id),
        "attempt": claim.attempt,
        "trace_id": claim.trace.trace_id,
    }


def _go_on(lease: Lease, started: Assembly | None, around: Surroundings) -> str:
    if lease.claim.reclaims > around.settings.max_reclaims:
        # Reading its log, to seal it with all that can be said, lost a worker too.
        _seal_held(lease.claim, around)
        return TurnStatus.SEALED
    try:
        if started is None:
            started = _resume(lease, around)
        else:
            started.runner.begun()
        started.runner.run()
    # Interrupted, when it was stopped before there was a step to be stopped in.
    except (HandOver, Interrupted):
        if lease.is_lost:
            raise LeaseLost from None
        _hand_over(lease, around)
        return "handed_over"
    except LeaseLost:
        raise
    # A turn that crashes every worker that takes it must end all the same (I6).
    except Exception as failure:
        if not is_passing_outage(failure):
            _note_crash(lease.claim, failure, around)
            if _is_exhausted(lease.claim, around):
                _seal_held(lease.claim, around)
        raise
    if started.runner.next_turn is not None:
        around.turn_queue.send(started.runner.next_turn, label=_label(lease.claim, attempt=1))
    return started.runner.ended_as or "over"


def _begin(tx: Tx, lease: Lease, around: Surroundings) -> Assembly:
    """Resolve and pin the configuration, and store the turn's first events."""
    claim = lease.claim
    begins = beginnings.read(
        tx,
        claim.organization_id,
        claim.session_id,
        default_model=around.settings.default_model,
    )
    config = resolve(begins.configuration, around.settings)
    config_hash = config.digest()
    built = assemble(
        lease, config, config_hash, clock.now_milliseconds(), around, newest=begins.newest
    )
    is_to_think = asks_to_think(claim.controls)
    kept = configs.Kept(claim.organization_id, config_hash, config.to_json())
    append = partial(_append, tx, claim, kept)
    built.runner.begin(built.limits, append, is_to_think=is_to_think)
    return built


def _append(
    tx: Tx, claim: Claim, kept: configs.Kept, drafts: list[EventDraft], change: log.HeadChange
) -> tuple[log.Head, list[LoggedEvent]]:
    fence = log.Fence(claim.epoch)
    return log.append(tx, claim.session_id, drafts, fence=fence, change=change, beside=kept)


def _resume(lease: Lease, around: Surroundings) -> Assembly:
    """Load what the turn was started with and fold what the log says of it."""
    claim = lease.claim
    session_log = SessionLog(around.database, lease)
    events = session_log.turn_events()
    shown = show_id(Kind.TURN, claim.turn_id)
    beginning = next(
        event
        for event in events
        if event.type == EventType.TURN_STARTED and event.context["turn_id"] == shown
    )
    config_hash = beginning.data["config_hash"]

    def load(digest: str) -> Json:
        with around.database.reading() as tx:
            return configs.load(tx, claim.organization_id, digest)

    config = TurnConfig.from_json(session_log.patiently(partial(load, config_hash)))
    prompts_hash = digest_in(events, claim.turn_id)
    kept = {} if prompts_hash is None else session_log.patiently(partial(load, prompts_hash))
    built = assemble(
        lease,
        config,
        config_hash,
        milliseconds(beginning.ts),
        around,
        prompts=kept.get("prompts"),
    )
    built.runner.resume(built.limits, events, exhausted=_is_exhausted(claim, around))
    _log.info(
        "turn_resumed", turn_id=str(claim.turn_id), attempt=claim.attempt, reclaims=claim.reclaims
    )
    return built


def _is_exhausted(claim: Claim, around: Surroundings) -> bool:
    return claim.reclaims >= around.settings.max_reclaims


def _claim_fairly(tx: Tx, turn_id: UUID, around: Surroundings) -> Claim | None:
    claim = fair_share.claim(
        tx,
        turn_id,
        after=around.rota.last,
        owner=around.worker_name,
        lease_seconds=around.settings.lease_seconds,
    )
    if claim is not None:
        around.rota.last = claim.organization_id
    return claim


def _seal(turn_id: UUID, failure: Exception, around: Surroundings) -> None:
    owner, lease_seconds = around.worker_name, around.settings.lease_seconds
    with around.database.transaction() as tx:
        claim = turns.claim(tx, turn_id, owner=owner, lease_seconds=lease_seconds)
    if claim is not None:
        _note_crash(claim, failure, around)
        _seal_held(claim, around)


def _note_crash(claim: Claim, failure: Exception, around: Surroundings) -> None:
    """For whoever looks at the dead letter: the fault's class and place, no content (I10)."""
    try:
        with around.database.transaction() as tx:
            turns.note_crash(
                tx,
                claim.turn_id,
                epoch=claim.epoch,
                error=type(failure).__name__,
                place=" ".join(place_of(failure)[-1:]),
            )
    except DatabaseError as outage:
        _log.warning("crash_not_noted", error=type(outage).__name__, sqlstate=sqlstate(outage))


def _seal_held(claim: Claim, around: Surroundings) -> None:
    """End the turn without a look at its log, which may be what makes workers crash."""
    change = log.HeadChange(status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None)
    drafts = sealing(
        claim.turn_id,
        claim.input_message_id,
        trace_id=claim.trace.trace_id,
        new_id=clock.new_id,
    )
    with around.database.transaction() as tx:
        fence = log.Fence(claim.epoch)
        end = log.End(claim.turn_id, TurnStatus.SEALED)
        _, events = log.append(tx, claim.session_id, drafts, fence=fence, change=change, beside=end)
    around.live.publish(claim.session_id, events)
    around.witness_of(claim).see(events)


def _hand_over(lease: Lease, around: Surroundings) -> None:
    """Give the turn back to the queue under a new epoch; not counted as an attempt lost."""
    claim = lease.claim
    try:
        with around.database.transaction() as tx:
            head, _ = log.append(
                tx,
                claim.session_id,
                [],
                fence=log.Fence(claim.epoch),
                change=log.HeadChange(raises_epoch=True),
            )
            turns.hand_over(tx, claim.turn_id, epoch=head.epoch)
    except DatabaseError as failure:
        # The lease runs out instead, and the sweeper takes the turn back.
        _log.warning("hand_over_failed", error=type(failure).__name__, sqlstate=sqlstate(failure))
        return
    _log.info("turn_handed_over", turn_id=str(claim.turn_id))
    around.turn_queue.send(claim.turn_id, label=_label(claim, attempt=claim.attempt + 1))


def _label(claim: Claim, *, attempt: int) -> TaskLabel:
    return TaskLabel(claim.session_id, claim.organization_id, attempt)
