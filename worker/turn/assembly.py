"""Put the parts of one turn together around its pinned configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from common import clock
from common.domain.turn import ToolCall
from common.encryption import SecretBox
from common.live import Live
from common.settings import Settings
from common.storage.engine import Database
from common.turn_queue import TurnQueue
from worker.capabilities.capability import Capability, ToolContext, ToolSucceeded
from worker.capabilities.execution import ToolExecutor
from worker.capabilities.registry import CapabilityGrant, Composition, compose
from worker.lease import Lease, Leases
from worker.llm.registry import SIMULATED, driver_for
from worker.shutdown import Shutdown
from worker.text_stream import TextStreams
from worker.turn.acting import ToolCalls
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig
from worker.turn.model_step import ModelAccess, ModelStep
from worker.turn.narration import Narrator
from worker.turn.outcome import CallResult
from worker.turn.resolution import find_model
from worker.turn.runner import TurnRunner
from worker.turn.session_log import SessionLog
from worker.turn.state import Limits


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a turn needs of its worker; made once a process."""

    settings: Settings
    database: Database
    live: Live
    turn_queue: TurnQueue
    leases: Leases
    streams: TextStreams
    shutdown: Shutdown
    secrets: SecretBox
    capabilities: Mapping[str, Capability]
    worker_name: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """A turn that is ready to begin or to be resumed."""

    runner: TurnRunner
    limits: Limits


def assemble(
    lease: Lease, config: TurnConfig, config_hash: str, started_ms: int, around: Surroundings
) -> Assembly:
    """The runner and what it works with; `started_ms` is when the turn began, in epoch ms."""
    composition = compose(
        map(CapabilityGrant.from_json, config.capabilities), built=around.capabilities
    )
    session_log = SessionLog(around.database, lease)
    narrator = Narrator(
        turn_id=lease.claim.turn_id,
        input_message_id=lease.claim.input_message_id,
        config=config,
        config_hash=config_hash,
        new_id=clock.new_id,
        may_repeat=partial(_may_repeat, composition),
    )
    runner = TurnRunner(
        lease=lease,
        session_log=session_log,
        live=around.live,
        narrator=narrator,
        model_step=_model_step(config, composition, session_log, around),
        tools=_tool_calls(composition, lease, around),
        new_id=clock.new_id,
        duration_ms=lambda: max(0, clock.now_milliseconds() - started_ms),
        should_hand_over=lambda: around.shutdown.has_begun,
    )
    return Assembly(runner, _limits(config, around.settings))


def _limits(config: TurnConfig, settings: Settings) -> Limits:
    parallel = settings.act_max_tool_concurrency if config.parallel_tool_calls else 1
    return Limits(max_iterations=config.max_iterations, parallel_calls=parallel)


def _model_step(
    config: TurnConfig, composition: Composition, session_log: SessionLog, around: Surroundings
) -> ModelStep:
    settings = around.settings
    access = ModelAccess(
        find=partial(_find_model, around.database),
        driver_for=partial(driver_for, allow_simulated=settings.is_development),
        settings_for=partial(_driver_settings, settings),
        deadline_seconds=settings.llm_deadline_seconds,
    )
    return ModelStep(
        config=config,
        system_prompt="\n\n".join((*composition.prompts, *config.prompts)),
        tools=tuple(composition.tools.values()),
        access=access,
        session_log=session_log,
        streams=around.streams,
        new_id=clock.new_id,
    )


def _tool_calls(composition: Composition, lease: Lease, around: Surroundings) -> ToolCalls:
    executor = ToolExecutor(composition.tools)
    claim = lease.claim

    def run(call: ToolCall) -> CallResult:
        context = ToolContext(
            organization_id=claim.organization_id,
            session_id=claim.session_id,
            workspace_id=claim.session_id,
            timeout_seconds=around.settings.tool_deadline_seconds,
            turn_id=claim.turn_id,
            tool_call_id=call.id,
            # The same for every attempt of the call, on whichever worker (I5).
            idempotency_key=f"{claim.session_id.hex}:{call.id}",
        )
        executed = executor.run(call, context)
        if isinstance(executed.outcome, ToolSucceeded):
            text = _as_text(executed.outcome.result)
            return CallResult("success", text=text, duration_ms=executed.duration_ms)
        message = executed.outcome.message
        return CallResult("error", error=message, duration_ms=executed.duration_ms)

    return ToolCalls(run, lease, deadline_seconds=around.settings.tool_deadline_seconds)


def _as_text(result: Any) -> str:
    """A result as one text: a string as it is, anything else as compact JSON."""
    return result if isinstance(result, str) else orjson.dumps(result).decode()


def _may_repeat(composition: Composition, tool_name: str) -> bool:
    tool = composition.tools.get(tool_name)
    # A tool that is not there does nothing, so it may as well do it again.
    return tool is None or tool.side_effect.may_repeat


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
