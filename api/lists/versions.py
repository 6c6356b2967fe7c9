"""The list of an agent's versions, written out in slices: each may be megabytes (I11)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import orjson
from flask import Response

from api.auth import Caller
from api.deps import Deps
from api.endpoint import JSON_TYPE
from api.schemas.agent_versions import show_version
from common.domain.agent import AgentRef
from common.domain.agent_version import AgentVersion
from common.domain.errors import NotFound
from common.storage import agents, versions


def list_all(deps: Deps, caller: Caller, ref: AgentRef) -> Response:
    """A bare array of every version, newest first."""
    with deps.database.reading() as tx:
        agent = agents.find(tx, caller.organization_id, ref)
        if agent is None:
            raise NotFound("Agent not found")
        first = versions.read_below(tx, caller.organization_id, agent.id)

    def pieces() -> Iterator[bytes]:
        found = first
        yield b"["
        yield b",".join(_written(found))
        while len(found) == versions.SLICE:
            with deps.database.reading() as tx:
                found = versions.read_below(tx, caller.organization_id, agent.id, found[-1].number)
            yield from chain.from_iterable((b",", piece) for piece in _written(found))
        yield b"]"

    if len(first) < versions.SLICE:
        return Response(b"".join(pieces()), content_type=JSON_TYPE)
    return Response(pieces(), content_type=JSON_TYPE)


def _written(found: list[AgentVersion]) -> list[bytes]:
    return [orjson.dumps(show_version(version)) for version in found]
