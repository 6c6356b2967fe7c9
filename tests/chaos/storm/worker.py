"""A worker whose tools have their effects at a recorder outside the system.

Loaded as `celery -A tests.chaos.storm.worker`; EFFECTS is the recorder's address.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from common.settings import Settings
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolOutcome,
    ToolSucceeded,
)
from worker.tasks import make_app

_RECORDER = os.environ["EFFECTS"]
_SECONDS = 10.0


class _Acting:
    """A tool of one class; a recorder that cannot be reached is the tool's own trouble."""

    def __init__(self, side_effect: SideEffect) -> None:
        self._class = side_effect

    def act(self, _arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        self._ask("POST", context)
        return ToolSucceeded({"done": True})

    def find_out(
        self, _arguments: Mapping[str, Any], context: ToolContext, /
    ) -> ToolOutcome | None:
        try:
            self._ask("GET", context)
        except urllib.error.HTTPError:
            return None
        return ToolSucceeded({"done": "before"})

    def _ask(self, method: str, context: ToolContext) -> None:
        url = f"{_RECORDER}/?class={self._class}&key={context.idempotency_key}"
        request = urllib.request.Request(url, method=method)  # noqa: S310 - the recorder's
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310 - as above
            pass


def _tool(side_effect: SideEffect, name: str) -> Tool:
    acting = _Acting(side_effect)
    return Tool(
        name=name,
        display_name="Act",
        description="Has an effect that is recorded",
        parameters={"type": "object"},
        side_effect=side_effect,
        run=acting.act,
        reconcile=acting.find_out if side_effect is SideEffect.RECONCILE else None,
    )


_TOOLS = (
    *(_tool(side_effect, f"act_{side_effect}") for side_effect in SideEffect),
    _tool(SideEffect.AT_MOST_ONCE, "act_guarded"),
)
app = make_app(Settings.from_env(), capabilities={"noop": Capability("noop", _TOOLS)})
