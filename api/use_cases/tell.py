"""Let every process know at once what has changed about who gets in."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from api.deps import Deps
from api.gate import Gate


def tell_changed(deps: Deps, gate: Gate, changed: Iterable[UUID]) -> None:
    """Keys and logins of these ids are revoked, or something is new about users of these ids."""
    for each in changed:
        gate.revoked(each)
        deps.live.revoke(each)
