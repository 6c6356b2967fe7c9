"""Capabilities that this installation knows: the catalogue's, and those of installed packages.

A package adds entries through the entry-point group `everturn.capability_catalog`; the
value is a `CapabilityInfo` or a tuple of them.  Read once a process, at first use.  A
broken entry point is logged and skipped; an id that is taken already loses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final

import structlog

from common.domain.capability_catalog import (
    ALIASES,
    CAPABILITIES,
    CapabilityInfo,
    canonical_id,
    family_of,
)
from common.logs import place_of

CATALOG_GROUP: Final = "everturn.capability_catalog"
_FAMILY_MARK: Final = ":"

_log = structlog.get_logger()


@cache
def known_capabilities() -> Mapping[str, CapabilityInfo]:
    """By id, those of the catalogue first."""
    return MappingProxyType(merged(entry_points(group=CATALOG_GROUP)))


def find_capability(ref: str) -> CapabilityInfo | None:
    """The entry that a reference means; None for what is unknown, and for a family's member."""
    return known_capabilities().get(canonical_id(ref))


def is_known(ref: str) -> bool:
    """Whether agents and sessions may name it; of a family's member only its form is judged."""
    return find_capability(ref) is not None or family_of(ref) is not None


def merged(points: Iterable[EntryPoint]) -> dict[str, CapabilityInfo]:
    """The catalogue with the entries of these entry points behind it."""
    known = dict(CAPABILITIES)
    for point in sorted(points, key=lambda each: each.name):
        for info in loaded(point):
            if info.id in known or info.id in ALIASES or _FAMILY_MARK in info.id:
                _log.warning("capability_id_taken", capability=info.id, entry_point=point.name)
            else:
                known[info.id] = info
    return known


def loaded(point: EntryPoint) -> Iterator[CapabilityInfo]:
    """The entries that an entry point names; none when it is broken."""
    try:
        value = point.load()
        found = value if isinstance(value, tuple) else (value,)
        check_kinds(found, CapabilityInfo)
    # The border to a package that is not ours, whatever it raises.
    except Exception as broken:  # noqa: BLE001
        log_broken(point, broken)
        return
    yield from found


def check_kinds(values: Iterable[object], kind: type) -> None:
    """Refuse what an entry point of the group cannot be.

    Raises:
        TypeError: a value is not of this kind.
    """
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"not a {kind.__name__}: {type(value).__name__}")


def log_broken(point: EntryPoint, broken: Exception) -> None:
    """Tell operators which package to look at, and where in it."""
    error = type(broken).__name__
    _log.error("entry_point_broken", entry_point=point.name, error=error, at=place_of(broken))
