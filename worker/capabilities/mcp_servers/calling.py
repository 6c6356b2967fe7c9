"""One call of one tool, from the model's arguments to the outcome it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from common.domain.masking import without, without_in
from common.domain.outbound import HostRules, OutboundPolicy, PrivateTargets
from worker.capabilities.capability import Tool, ToolContext, ToolFailed, ToolOutcome, ToolSucceeded
from worker.capabilities.mcp_servers import loop
from worker.capabilities.mcp_servers.server import (
    Connection,
    ServerTimedOut,
    ServerTrouble,
    ToolRequest,
)
from worker.capabilities.mcp_servers.tools import ListedTool, by_offered_name
from worker.capabilities.outbound.guard import Guard

# Finds out, at each call, how the server is reached; raises `ServerTrouble` when it is not.
Connect = Callable[[ToolContext], Connection]

# Less than a turn waits for all it prepares, so that a server that hangs is known for it.
LIST_SECONDS: Final = 12.0
# A server that is down costs one turn the wait for it, not each.
SHUNNED_SECONDS: Final = 30.0
# The call's own deadline has words of its own, so it is to come first.
_GRACE_SECONDS: Final = 5.0


def offered(
    server_name: str,
    tools: list[ListedTool],
    *,
    connect: Connect,
    private: PrivateTargets,
    timeout_seconds: float,
) -> tuple[Tool, ...]:
    """The tools as a turn has them."""
    return tuple(
        Tool(
            name=name,
            display_name=tool.title,
            description=tool.description,
            parameters=tool.parameters,
            side_effect=tool.side_effect,
            run=partial(_call, tool.name, connect, private),
            timeout_seconds=timeout_seconds + _GRACE_SECONDS,
        )
        for name, tool in by_offered_name(server_name, tools).items()
    )


def guard_of(private: PrivateTargets, network_access: Mapping[str, Any] | None) -> Guard:
    """Where a server may be: what the operator opens, less what the session closes."""
    return Guard(OutboundPolicy(private, HostRules.from_json(network_access)))


def _call(
    tool_name: str,
    connect: Connect,
    private: PrivateTargets,
    arguments: Mapping[str, Any],
    context: ToolContext,
) -> ToolOutcome:
    from worker.capabilities.mcp_servers import client, results  # noqa: PLC0415 - see there

    progress = context.report.progress
    asked = ToolRequest(
        name=tool_name,
        arguments=arguments,
        idempotency_key=context.idempotency_key,
        progress=progress,
    )
    secrets: tuple[str, ...] = ()
    guard = guard_of(private, context.network_access)
    try:
        connection = connect(context)
        secrets = _credentials(connection)
        asked = replace(asked, progress=lambda text: progress(without(text, secrets)))
        result = loop.run(client.call_tool(connection, guard, asked), is_stopped=context.is_stopped)
    except ServerTrouble as trouble:
        failed = ToolFailed(str(trouble), is_timeout=isinstance(trouble, ServerTimedOut))
        return _discreet(failed, secrets)
    except loop.GaveUp:
        return ToolFailed("The turn was stopped.")
    return _discreet(results.outcome_of(result), secrets)


def _credentials(connection: Connection) -> tuple[str, ...]:
    """What the server is told to let us in; of `Authorization` without the scheme before it."""
    return tuple(
        value.rpartition(" ")[2] if name.lower() == "authorization" else value
        for name, value in connection.headers.items()
    )


def _discreet(outcome: ToolOutcome, secrets: tuple[str, ...]) -> ToolOutcome:
    """A server may repeat what it was sent; the model and the log are not to have it."""
    if isinstance(outcome, ToolFailed):
        return replace(outcome, message=without(outcome.message, secrets))
    return ToolSucceeded(without_in(outcome.result, secrets))
