"""What may be granted, as an organization sees it: the catalogue's, packages', and its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from api.use_cases import granted_servers
from common.domain.capability_catalog import CapabilityInfo, family_of
from common.domain.mcp_server import CAPABILITY_PREFIX
from common.installed_capabilities import find_capability, known_capabilities
from common.storage.engine import Tx


@dataclass(frozen=True, slots=True)
class Family:
    """How entries of an open family such as `mcp:<uuid>` are found.

    Attributes:
        find: the organization's member with that whole id, None when there is none.
        all: the organization's members, in a stable order.
    """

    find: Callable[[Tx, UUID, str], CapabilityInfo | None]
    all: Callable[[Tx, UUID], Iterable[CapabilityInfo]]


# By prefix; who builds a family adds it, as in `common.domain.capability_catalog.families`.
FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {CAPABILITY_PREFIX: Family(granted_servers.find, granted_servers.all_of)}
)


def find(tx: Tx, organization_id: UUID, ref: str) -> CapabilityInfo | None:
    """One entry by its id or an alias; None for what is unknown to the organization."""
    family = FAMILIES.get(family_of(ref) or "")
    if family is not None:
        return family.find(tx, organization_id, ref)
    return find_capability(ref)


def matching(tx: Tx, organization_id: UUID, search: str | None) -> list[CapabilityInfo]:
    """All entries that have every word of the search, in any letter case."""
    words = (search or "").casefold().split()
    members = [info for family in FAMILIES.values() for info in family.all(tx, organization_id)]
    return [info for info in (*known_capabilities().values(), *members) if _has(info, words)]


def _has(info: CapabilityInfo, words: list[str]) -> bool:
    said = " ".join((info.id, info.name, info.description, info.category, *info.tool_names))
    return all(word in said.casefold() for word in words)
