"""Grants the hints that `worker.turn.loop_hints` puts into the transcript; no tool of its own."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.loop_detection import LOOP_DETECTION
from worker.capabilities.capability import Capability

CAPABILITY: Final = Capability(id=LOOP_DETECTION.id)
