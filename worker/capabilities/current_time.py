"""Tells a model what time it is, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from common.domain.capability_catalog.current_time import CURRENT_TIME
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)


def capability(now: Callable[[], datetime]) -> Capability:
    """The capability; `now` returns an aware time."""

    def run(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
        name = arguments.get("timezone", "UTC")
        try:
            zone = ZoneInfo(name)
        # Names that only look like a path or a file raise the latter two.
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return ToolFailed(f"Unknown time zone {name}. Use an IANA name such as Europe/Berlin.")
        shown = arguments.get("format", "iso8601")
        return ToolSucceeded(
            {**_show(now().astimezone(zone), shown), "format": shown, "timezone": name}
        )

    tool = Tool.declared(
        CURRENT_TIME.tool("get_current_time"), side_effect=SideEffect.PURE, run=run
    )
    return Capability(id=CURRENT_TIME.id, tools=(tool,))


def _show(moment: datetime, shown: str) -> dict[str, Any]:
    match shown:
        case "unix":
            return {"timestamp": int(moment.astimezone(UTC).timestamp())}
        case "human":
            return {"datetime": f"{moment:%A, %d %B %Y, %H:%M:%S} {moment.tzname()}"}
        case _:
            return {"datetime": moment.isoformat(timespec="seconds")}
