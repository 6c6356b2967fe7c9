"""A worker with a tool whose effects are recorded outside the system, and that can be held.

Loaded as `celery -A tests.chaos.effect_worker`; EFFECTS names a folder.  Each call appends
its idempotency key to `effects` there, then waits until there is a file `go`.  Whoever asks
what became of a call finds out there too.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
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

_EFFECTS = Path(os.environ["EFFECTS"])


def _act(_arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
    with (_EFFECTS / "effects").open("a") as effects:
        effects.write(f"{context.idempotency_key}\n")
    while not (_EFFECTS / "go").exists():
        time.sleep(0.01)
    return ToolSucceeded({"done": True})


def _ask(_arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome | None:
    made = (_EFFECTS / "effects").read_text().split()
    return ToolSucceeded({"done": "before"}) if context.idempotency_key in made else None


def _tool(side_effect: SideEffect) -> Tool:
    return Tool(
        name=f"act_{side_effect}",
        display_name="Act",
        description="Has an effect that is recorded",
        parameters={"type": "object"},
        side_effect=side_effect,
        run=_act,
        reconcile=_ask if side_effect is SideEffect.RECONCILE else None,
    )


app = make_app(
    Settings.from_env(),
    capabilities={"noop": Capability("noop", tuple(_tool(effect) for effect in SideEffect))},
)
