"""What an agent may be granted: the one place that declares capabilities and their tools.

The API lists it and checks references against it without importing the worker; the worker
takes names, descriptions, schemas and prompts of its tools from it.  Data only: nothing
here runs a tool, opens a connection or imports the worker.

To add a capability:

1. A module beside this one, `<id>.py` (or one for a small family), with a
   `Final` `CapabilityInfo` (see `entry`): `status=CapabilityStatus.AVAILABLE`, a `ToolInfo`
   for each tool, `system_prompt`, `config_schema`, `features`, `dependencies`, `risk_level`.
   If it stood in `announced`, it is taken out there.
2. A line in `_ENTRIES` below; its place is its place in the list that clients see.
3. The implementation, `worker/capabilities/<id>.py`, which builds each tool with
   `Tool.declared(INFO.tool("name"), side_effect=…, run=…)` and the capability with
   `Capability(id=INFO.id, tools=…, system_prompt=INFO.system_prompt)`, and its line in
   `worker.capabilities.registry.built_capabilities`.  A test keeps both sides equal.

Ids of an open family (`mcp:<uuid>`) are not listed here: see `families`.
Operators' packages add entries of their own through entry points: see
`common.installed_capabilities`, which is where to look up what may be granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from common.domain.capability_catalog.announced import ANNOUNCED
from common.domain.capability_catalog.compaction import COMPACTION
from common.domain.capability_catalog.current_time import CURRENT_TIME
from common.domain.capability_catalog.entry import (
    CapabilityInfo,
    CapabilityStatus,
    RiskLevel,
    ToolInfo,
)
from common.domain.capability_catalog.families import family_of
from common.domain.capability_catalog.loop_detection import LOOP_DETECTION
from common.domain.capability_catalog.session import AGENT_INSTRUCTIONS, SESSION
from common.domain.capability_catalog.session_file_system import SESSION_FILE_SYSTEM
from common.domain.capability_catalog.session_storage import SESSION_STORAGE
from common.domain.capability_catalog.stateless_todo_list import STATELESS_TODO_LIST
from common.domain.capability_catalog.testing import NOOP, TEST_MATH, TEST_WEATHER
from common.domain.capability_catalog.web_fetch import WEB_FETCH

__all__ = [
    "ALIASES",
    "CAPABILITIES",
    "CapabilityInfo",
    "CapabilityStatus",
    "RiskLevel",
    "ToolInfo",
    "canonical_id",
    "family_of",
    "is_known_capability",
]

# Names that older clients use for an id of the catalogue.
ALIASES: Final[Mapping[str, str]] = MappingProxyType({"virtual_bash": "bashkit_shell"})

_ENTRIES: Final = (
    NOOP,
    CURRENT_TIME,
    TEST_MATH,
    TEST_WEATHER,
    STATELESS_TODO_LIST,
    LOOP_DETECTION,
    COMPACTION,
    WEB_FETCH,
    SESSION_FILE_SYSTEM,
    AGENT_INSTRUCTIONS,
    SESSION,
    SESSION_STORAGE,
    *ANNOUNCED,
)

CAPABILITIES: Final[Mapping[str, CapabilityInfo]] = MappingProxyType(
    {entry.id: entry for entry in _ENTRIES}
)


def canonical_id(ref: str) -> str:
    """The id that a reference means: itself, unless it is an alias."""
    return ALIASES.get(ref, ref)


def is_known_capability(ref: str) -> bool:
    """Whether everturn itself knows it; what packages add: `common.installed_capabilities`."""
    return canonical_id(ref) in CAPABILITIES or family_of(ref) is not None
