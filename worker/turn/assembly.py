"""Put the parts of one turn together around its pinned configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from common import clock
from common.domain.events import Json
from common.domain.turn import Claim, ToolCall
from common.encryption import SecretBox
from common.live import Live
from common.settings import Settings
from common.storage import configs, waiting, workspaces
from common.storage.engine import Database
from common.storage.transcript import Newest
from common.turn_queue import TurnQueue
from worker.capabilities.capability import Capability
from worker.lease import Lease, Leases
from worker.llm.driver import Endpoint
from worker.llm.registry import SIMULATED, driver_for
from worker.llm_breaker import ProviderBreakers
from worker.shutdown import Shutdown
from worker.text_stream import TextStreams
from worker.turn.act_events import CallKind, Patience
from worker.turn.acting import ToolCalls
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig
from worker.turn.endpoints import Endpoints
from worker.turn.failure import disclosure_of
from worker.turn.model_step import ModelAccess, ModelStep
from worker.turn.narration import Narrator
from worker.turn.outside import kinds_of
from worker.turn.pictures import Pictures
from worker.turn.prompt_pin import PromptPin
from worker.turn.reasoning import Circuit, ClosedCircuit
from worker.turn.resolution import find_model
from worker.turn.rota import Rota
from worker.turn.runner import TurnRunner
from worker.turn.session_log import SessionLog
from worker.turn.state import Limits
from worker.turn.turn_tools import TurnTools
from worker.turn.witness import NoWitness, Witness


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a turn needs of its worker; made once a process.

    Attributes:
        witness_of: who counts what becomes of a turn.
        is_traced: whether models and tools are told where in a trace they are called from.
    """

    settings: Settings
    database: Database
    live: Live
    turn_queue: TurnQueue
    leases: Leases
    streams: TextStreams
    shutdown: Shutdown
    secrets: SecretBox
    endpoints: Endpoints
    breakers: ProviderBreakers
    capabilities: Mapping[str, Capability]
    pictures: Pictures
    rota: Rota
    worker_name: str
    witness_of: Callable[[Claim], Witness] = lambda _claim: NoWitness()
    is_traced: bool = False


@dataclass(frozen=True, slots=True)
class Assembly:
    """A turn that is ready to begin or to be resumed."""

    runner: TurnRunner
    limits: Limits


def assemble(
    lease: Lease,
    config: TurnConfig,
    config_hash: str,
    started_ms: int,
    around: Surroundings,
    *,
    prompts: Sequence[str] | None = None,
    newest: Newest | None = None,
) -> Assembly:
    """The runner and what it works with; `started_ms` is when the turn began, in epoch ms.

    `prompts` are what its capabilities added on another worker, None on the first.
    `newest` are the session's messages, when they were read with the configuration.
    """
    session_log = SessionLog(around.database, lease, newest=newest)
    pin = PromptPin(keep=partial(_keep, session_log, around.database), prompts=prompts)
    turn_tools = TurnTools(
        claim=lease.claim,
        config=config,
        capabilities=around.capabilities,
        live=around.live,
        timeout_seconds=around.settings.tool_deadline_seconds,
        find_workspace=partial(_find_workspace, lease.claim, session_log, around.database),
        pin=pin,
        is_stopped=lease.stop.is_set,
        is_traced=around.is_traced,
    )
    narrator = Narrator(
        turn_id=lease.claim.turn_id,
        input_message_id=lease.claim.input_message_id,
        config=config,
        config_hash=config_hash,
        new_id=clock.new_id,
        may_repeat=turn_tools.may_repeat,
        described=turn_tools.described,
        prompts_hash=lambda: pin.digest,
        trace_id=lease.claim.trace.trace_id,
        kinds_of=partial(_kinds_of, turn_tools, session_log, around.database),
        patience=Patience(
            results=around.settings.client_tool_deadline_seconds,
            decisions=around.settings.approval_deadline_seconds,
        ),
    )
    runner = TurnRunner(
        lease=lease,
        session_log=session_log,
        live=around.live,
        narrator=narrator,
        model_step=_model_step(config, turn_tools, session_log, around),
        tools=ToolCalls(
            turn_tools.run,
            lease,
            terms_of=turn_tools.terms_of,
            on_wake=turn_tools.reports.flush,
        ),
        new_id=clock.new_id,
        duration_ms=lambda: max(0, clock.now_milliseconds() - started_ms),
        should_hand_over=lambda: around.shutdown.has_begun,
        # A caller's wish can be no more than the operator allows.
        most_disclosed=disclosure_of(around.settings.error_disclosure_max),
        witness=around.witness_of(lease.claim),
    )
    return Assembly(runner, _limits(config, around.settings))


def _find_workspace(claim: Claim, session_log: SessionLog, database: Database) -> UUID:
    """Where the session's files are; of a session that was deleted, nowhere."""

    def look() -> UUID | None:
        with database.reading() as tx:
            return workspaces.of_session(tx, claim.organization_id, claim.session_id)

    return session_log.patiently(look) or claim.session_id


def _keep(session_log: SessionLog, database: Database, digest: str, pinned: Json) -> None:
    kept = configs.Kept(session_log.lease.claim.organization_id, digest, dict(pinned))

    def write() -> None:
        with database.transaction() as tx:
            configs.keep(tx, kept)

    # The same again is no harm, so a commit of unknown outcome is none.
    session_log.patiently(write)


def _limits(config: TurnConfig, settings: Settings) -> Limits:
    parallel = settings.act_max_tool_concurrency if config.parallel_tool_calls else 1
    return Limits(max_iterations=config.max_iterations, parallel_calls=parallel)


def _model_step(
    config: TurnConfig, turn_tools: TurnTools, session_log: SessionLog, around: Surroundings
) -> ModelStep:
    settings = around.settings
    access = ModelAccess(
        find=partial(_find_model, around.database),
        endpoint_of=around.endpoints.of,
        driver_for=partial(driver_for, allow_simulated=settings.is_development),
        circuit_for=partial(_circuit_for, around.breakers),
        settings_for=partial(_driver_settings, settings),
        pictures=around.pictures,
        deadline_seconds=settings.llm_deadline_seconds,
        is_traced=around.is_traced,
    )
    return ModelStep(
        config=config,
        compose=lambda: turn_tools.composition,
        access=access,
        session_log=session_log,
        streams=around.streams,
        new_id=clock.new_id,
    )


def _kinds_of(
    turn_tools: TurnTools, session_log: SessionLog, database: Database, calls: tuple[ToolCall, ...]
) -> dict[str, CallKind]:
    claim = session_log.lease.claim

    def read() -> dict[str, str]:
        with database.reading() as tx:
            return waiting.standing_decisions(tx, claim.organization_id, claim.session_id)

    return kinds_of(turn_tools.composition, calls, partial(session_log.patiently, read))


def _circuit_for(breakers: ProviderBreakers, endpoint: Endpoint) -> Circuit:
    # The simulated model is in this process: nothing of it is ever down.
    if endpoint.provider_type == SIMULATED or not endpoint.provider_id:
        return ClosedCircuit()
    return breakers.of(endpoint.provider_id)


def _find_model(database: Database, organization_id: UUID, ref: str) -> ModelChoice | ModelMissing:
    with database.reading() as tx:
        return find_model(tx, organization_id, ref)


def _driver_settings(
    settings: Settings, model: ModelChoice, controls: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Llmsim's options: the message's hints (development only), else the model's, else LLMSIM."""
    if model.provider_type != SIMULATED:
        return model.settings
    hints = controls.get("hints")
    if settings.is_development and isinstance(hints, Mapping) and SIMULATED in hints:
        wished = hints[SIMULATED]
        return wished if isinstance(wished, Mapping) else {"response": wished}
    return model.settings or settings.llmsim
