"""Calls that need somebody outside: tools that the client runs, and approvals.

What an agent or a session defines comes on top of what its capabilities bring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import structlog

from common.domain.turn import ToolCall
from common.domain.waiting import ALLOWING, REQUIRES_APPROVAL
from worker.capabilities.capability import (
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
)
from worker.capabilities.composition import Composition
from worker.turn.act_events import CallKind

_NOT_HERE: Final = "This tool is run by the client."
_log = structlog.get_logger()


def with_definitions(
    composition: Composition, definitions: Iterable[Mapping[str, Any]]
) -> Composition:
    """The composition with client-side tools after its own, and the policies that are set.

    A client-side tool whose name is taken is left out.  It has no owner, which tells it
    from those that a worker runs.
    """
    tools = dict(composition.tools)
    for definition in definitions:
        name = definition["name"]
        is_guarded = definition.get("policy") == REQUIRES_APPROVAL
        if definition.get("type") == "builtin":
            if name in composition.owners and is_guarded:
                tools[name] = replace(tools[name], requires_approval=True)
        elif name in composition.owners:
            _log.warning("tool_name_taken", tool=name, capability="client_side")
        else:
            tools[name] = _client_tool(definition, is_guarded=is_guarded)
    return replace(composition, tools=MappingProxyType(tools))


def kinds_of(
    composition: Composition,
    calls: tuple[ToolCall, ...],
    standing: Callable[[], Mapping[str, str]],
) -> dict[str, CallKind]:
    """Whom the calls need, by call id; `standing` is asked only when a call is guarded."""
    tools = {call.id: composition.tools.get(call.name) for call in calls}
    # Arguments that are no JSON get their error from the worker: nobody need be asked.
    known = {
        call.id: tool
        for call in calls
        if (tool := tools[call.id]) is not None and call.malformed is None
    }
    decisions = standing() if any(tool.requires_approval for tool in known.values()) else {}
    return {
        call_id: _kind(tool, decisions, is_client_side=tool.name not in composition.owners)
        for call_id, tool in known.items()
    }


def _kind(tool: Tool, decisions: Mapping[str, str], *, is_client_side: bool) -> CallKind:
    if not tool.requires_approval:
        return CallKind(is_client_side=is_client_side)
    decision = decisions.get(tool.name)
    return CallKind(
        is_client_side=is_client_side,
        is_guarded=decision is None,
        is_refused=decision is not None and decision not in ALLOWING,
    )


def _client_tool(definition: Mapping[str, Any], *, is_guarded: bool) -> Tool:
    return Tool(
        name=definition["name"],
        display_name=definition.get("display_name") or definition["name"],
        description=definition.get("description") or "",
        parameters=definition.get("parameters") or {"type": "object", "properties": {}},
        side_effect=SideEffect.PURE,
        run=_run_elsewhere,
        requires_approval=is_guarded,
    )


def _run_elsewhere(_arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
    return ToolFailed(_NOT_HERE)
