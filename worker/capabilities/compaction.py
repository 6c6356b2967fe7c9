"""Configures how `worker.turn.compaction` makes a conversation smaller; no tool of its own."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.compaction import COMPACTION
from worker.capabilities.capability import Capability

CAPABILITY: Final = Capability(id=COMPACTION.id)
