"""A capability that adds nothing: for testing that grants are stored and composed."""

from __future__ import annotations

from typing import Final

from worker.capabilities.capability import Capability

CAPABILITY: Final = Capability(id="noop", tools=())
