"""The tools of one turn: composed when first needed, run, and told about.

Composing may ask the database or other people's servers, so it waits until the
transaction that claims the turn is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal
from uuid import UUID

import orjson

from common import clock, tracing
from common.domain.events import EventType, Json
from common.domain.ids import Kind, show_id
from common.domain.turn import Claim, ToolCall
from common.event_codec import report_body
from common.installed_capabilities import find_capability
from common.live import Live
from worker.capabilities.capability import Capability, Scope, Tool, ToolContext, ToolSucceeded
from worker.capabilities.composition import CapabilityGrant, Composition, compose
from worker.capabilities.execution import ToolExecutor
from worker.capabilities.preparation import Preparation, Stopped
from worker.turn import places
from worker.turn.acting import CallTerms
from worker.turn.config import TurnConfig
from worker.turn.outcome import CallResult
from worker.turn.outside import with_definitions
from worker.turn.prompt_pin import PromptPin
from worker.turn.reasoning import Interrupted
from worker.turn.reporting import CallReports


class TurnTools:
    """May be shared between the turn's thread and those of its calls.

    Attributes:
        reports: of the calls that are running.
    """

    def __init__(
        self,
        *,
        claim: Claim,
        config: TurnConfig,
        capabilities: Mapping[str, Capability],
        live: Live,
        timeout_seconds: float,
        find_workspace: Callable[[], UUID],
        pin: PromptPin,
        is_stopped: Callable[[], bool],
        is_traced: bool = False,
    ) -> None:
        """`timeout_seconds` is for tools that name no time of their own.

        `find_workspace` looks up where the session's files are; asked once, when needed.
        `is_stopped` says that the turn is to end what it does; `is_traced` that calls are
        to know where in the turn's trace they are.
        """
        self._workspace_id = cache(find_workspace)
        self._claim = claim
        self._config = config
        # At once: a turn whose configuration cannot be read is not even begun.
        self._grants = tuple(map(CapabilityGrant.from_json, config.capabilities))
        self._capabilities = capabilities
        self._live = live
        self._timeout_seconds = timeout_seconds
        self._pin = pin
        self._is_stopped = is_stopped
        self._is_traced = is_traced
        self._guard = threading.Lock()
        self._composed: tuple[Composition, ToolExecutor] | None = None
        self.reports = CallReports(self._tell)

    # --- what the turn has ------------------------------------------------------

    @property
    def composition(self) -> Composition:
        """What the turn's capabilities come to; made at first use, so in no transaction.

        Raises:
            worker.turn.reasoning.Interrupted: the turn was stopped while it was made.
        """
        return self._made()[0]

    def terms_of(self, tool_name: str) -> CallTerms:
        """On what terms calls of a tool run."""
        tool = self.composition.tools.get(tool_name)
        if tool is None:
            return CallTerms(self._timeout_seconds)
        return CallTerms(self._timeout(tool), tool.concurrency_class)

    def may_repeat(self, tool_name: str) -> bool:
        """Whether a call that was begun can be settled by another worker (I5)."""
        tool = self.composition.tools.get(tool_name)
        # A tool that is not there does nothing, so it may as well do it again.
        return tool is None or tool.side_effect.may_resume

    def described(self, tool_name: str) -> Json:
        """What events say of a tool beside its name; nothing of one that is not there."""
        tool = self.composition.tools.get(tool_name)
        owner = self.composition.owners.get(tool_name)
        if tool is None or owner is None:
            return {}
        entry = find_capability(owner)
        return {
            "display_name": tool.display_name,
            "capability_id": owner,
            "capability_name": owner if entry is None else entry.name,
        }

    # --- running a call ----------------------------------------------------------

    def run(
        self, call: ToolCall, /, *, is_repeated: bool, is_stopped: Callable[[], bool]
    ) -> CallResult:
        """Run a call on this thread to its end; see `worker.turn.acting.RunCall`."""
        composition, executor = self._made()
        tool = composition.tools.get(call.name)
        report = self.reports.begin(
            tool_call_id=call.id,
            tool_name=call.name,
            display_name=call.name if tool is None else tool.display_name,
            is_over=is_stopped,
        )
        claim = self._claim
        place = places.of_tool_call(claim.trace, call.id) if self._is_traced else None
        context = ToolContext(
            organization_id=claim.organization_id,
            session_id=claim.session_id,
            workspace_id=self._workspace_id(),
            epoch=claim.epoch,
            turn_id=claim.turn_id,
            tool_call_id=call.id,
            # The same for every attempt of the call, on whichever worker (I5).
            idempotency_key=f"{claim.session_id.hex}:{call.id}",
            timeout_seconds=self.terms_of(call.name).timeout_seconds,
            is_stopped=is_stopped,
            report=report,
            network_access=self._config.network_access,
            traceparent=None if place is None else place.header,
        )
        try:
            with tracing.within(place):
                executed = executor.run(call, context, is_resumed=is_repeated)
        finally:
            # Before the result is in: what is shown of a call comes before its end.
            self.reports.end(report)
        took = executed.duration_ms
        if isinstance(executed.outcome, ToolSucceeded):
            return CallResult("success", text=_as_text(executed.outcome.result), duration_ms=took)
        failed = executed.outcome
        status: Literal["timeout", "error"] = "timeout" if failed.is_timeout else "error"
        return CallResult(status, error=failed.message, duration_ms=took)

    # --- inside --------------------------------------------------------------------

    def _made(self) -> tuple[Composition, ToolExecutor]:
        with self._guard:
            if self._composed is None:
                composed = self._pin.hold(self._compose())
                composition = with_definitions(composed, self._config.tools)
                self._composed = composition, ToolExecutor(composition.tools)
            return self._composed

    def _compose(self) -> Composition:
        try:
            return compose(
                self._grants,
                built=self._capabilities,
                scope_for=self._scope_for,
                preparation=Preparation(is_stopped=self._is_stopped),
            )
        except Stopped:
            raise Interrupted from None

    def _scope_for(self, capability_id: str) -> Scope:
        return Scope(
            organization_id=self._claim.organization_id,
            session_id=self._claim.session_id,
            workspace_id=self._workspace_id(),
            capability_id=capability_id,
            network_access=self._config.network_access,
        )

    def _timeout(self, tool: Tool) -> float:
        return self._timeout_seconds if tool.timeout_seconds is None else tool.timeout_seconds

    def _tell(self, kind: EventType, data: Json) -> None:
        claim = self._claim
        context = {
            "turn_id": show_id(Kind.TURN, claim.turn_id),
            "input_message_id": claim.input_message_id,
            "trace_id": claim.trace.trace_id,
        }
        body = report_body(claim.session_id, kind, clock.now(), context=context, data=data)
        self._live.report(claim.session_id, kind, body)


def _as_text(result: Any) -> str:
    """A result as one text: a string as it is, anything else as compact JSON."""
    return result if isinstance(result, str) else orjson.dumps(result).decode()
