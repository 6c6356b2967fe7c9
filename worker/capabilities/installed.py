"""Capabilities of installed packages (docs/your-own-tools.md).

A package adds them through the entry-point group `everturn.capabilities`; the value is
a callable that is given the worker's `Services` and returns a `Capability`, or a
`Capability`.  Loaded once a worker process; a broken one is logged and skipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

import structlog

from common.installed_capabilities import check_kinds, find_capability, log_broken
from worker.capabilities.capability import Capability
from worker.capabilities.services import Services

CAPABILITIES_GROUP: Final = "everturn.capabilities"

_log = structlog.get_logger()


def with_installed(
    built: Iterable[Capability],
    services: Services,
    *,
    points: Iterable[EntryPoint] | None = None,
) -> dict[str, Capability]:
    """By id: those that are built in, then those of packages; an id that is taken loses."""
    known = {each.id: each for each in built}
    found = entry_points(group=CAPABILITIES_GROUP) if points is None else points
    for point in sorted(found, key=lambda each: each.name):
        capability = _load(point, services)
        if capability is None:
            continue
        if capability.id in known:
            _log.warning("capability_id_taken", capability=capability.id, entry_point=point.name)
            continue
        if find_capability(capability.id) is None:
            # It runs for whom it is granted already; the API lets nobody grant it.
            _log.warning(
                "capability_not_declared", capability=capability.id, entry_point=point.name
            )
        known[capability.id] = capability
    return known


def _load(point: EntryPoint, services: Services) -> Capability | None:
    try:
        value = point.load()
        made = value if isinstance(value, Capability) else value(services)
        check_kinds((made,), Capability)
    # The border to a package that is not ours, whatever it raises.
    except Exception as broken:  # noqa: BLE001
        log_broken(point, broken)
        return None
    return cast(Capability, made)
