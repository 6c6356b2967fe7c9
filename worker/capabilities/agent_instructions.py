"""Puts the instructions that lie in the workspace into the system prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.domain.capability_catalog.session import AGENT_INSTRUCTIONS as INFO
from common.domain.capability_catalog.session import INSTRUCTIONS_PATH
from common.domain.file import as_text, file_path
from common.domain.text import capped, storable
from common.storage import file_queries
from worker.capabilities.capability import Capability, Contribution, Scope
from worker.capabilities.services import Services

INSTRUCTIONS_BYTES: Final = 32 * 1024
_CUT: Final = "\n[The rest of this file is left out.]"


def capability(services: Services) -> Capability:
    """The capability."""

    def prepare(config: Mapping[str, Any], scope: Scope, /) -> Contribution:
        path = file_path(str(config.get("path") or INSTRUCTIONS_PATH))
        with services.database.of(scope.organization_id).reading() as tx:
            found = file_queries.read(tx, scope.organization_id, scope.workspace_id, path)
        text = None if found is None or found.content is None else as_text(found.content)
        if text is None or not text.strip():
            return Contribution()
        kept = capped(storable(text), limit_bytes=INSTRUCTIONS_BYTES)
        cut = _CUT if len(kept) < len(text) else ""
        return Contribution(system_prompt=f"Instructions from {path}:\n\n{kept.strip()}{cut}")

    return Capability(id=INFO.id, prepare=prepare)
