"""What a session keeps by name: its agent's values, and its secrets, whose values stay here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

import orjson
from apiflask import APIBlueprint
from flask import Response

from api.deps import Deps
from api.endpoint import JSON_TYPE, Answer, Call, Contract, endpoint
from api.schemas.session_storage import (
    CountSchema,
    SecretNameListSchema,
    SecretsSchema,
    StoredValueListSchema,
    show_secret_name,
    show_value,
)
from api.use_cases.set_secrets import set_secrets as store
from common.domain.access import Scope
from common.domain.errors import NotFound
from common.storage import session_storage, sessions
from common.storage.engine import Tx

blueprint = APIBlueprint("session_storage", __name__, url_prefix="/v1")

# Each of up to 64 KB.
_SLICE: Final = 50
# Two hundred secrets of 64 KB, in which JSON may take two bytes for one.
_BODY_BYTES: Final = 27 * 1024 * 1024


@blueprint.get("/sessions/<session_id>/storage/keys")
@endpoint(
    Contract(
        summary="List a session's values",
        scope=Scope.SESSIONS_READ,
        returns=StoredValueListSchema(),
        fails=(404, 503),
    )
)
def list_values(call: Call[None, None], session_id: UUID) -> Answer:
    """List what the agent has kept with `kv_store`, by key."""
    with call.deps.database.reading() as tx:
        _require(tx, call.caller.organization_id, session_id)
    pieces = _values(call.deps, call.caller.organization_id, session_id)
    return Response(pieces, content_type=JSON_TYPE)


@blueprint.get("/sessions/<session_id>/storage/secrets")
@endpoint(
    Contract(
        summary="List a session's secrets",
        scope=Scope.SESSIONS_READ,
        returns=SecretNameListSchema(),
        fails=(404, 503),
    )
)
def list_secrets(call: Call[None, None], session_id: UUID) -> Answer:
    """List the names of the session's secrets; their values are never shown."""
    with call.deps.database.reading() as tx:
        _require(tx, call.caller.organization_id, session_id)
        found = session_storage.secret_names(tx, call.caller.organization_id, session_id)
    return {"data": [show_secret_name(each) for each in found], "total": len(found)}


@blueprint.put("/sessions/<session_id>/storage/secrets")
@endpoint(
    Contract(
        summary="Set secrets of a session",
        scope=Scope.SESSIONS_WRITE,
        takes=SecretsSchema(),
        needs_body=True,
        max_body_bytes=_BODY_BYTES,
        returns=CountSchema(),
        fails=(404, 409, 422, 503),
    )
)
def set_secrets(call: Call[dict[str, str], None], session_id: UUID) -> Answer:
    """Store secrets by name, replacing those of the same names; others stay."""
    return {"count": store(call.deps, call.caller, session_id, call.body)}


def _require(tx: Tx, organization_id: UUID, session_id: UUID) -> None:
    if not sessions.exists(tx, organization_id, session_id):
        raise NotFound("Session not found")


def _values(deps: Deps, organization_id: UUID, session_id: UUID) -> Iterator[bytes]:
    yield b'{"data":['
    total, after = 0, ""
    while True:
        with deps.database.reading() as tx:
            found = session_storage.read_values(
                tx, organization_id, session_id, after=after, limit=_SLICE
            )
        for stored in found:
            yield (b"," if total else b"") + orjson.dumps(show_value(stored))
            total += 1
        if len(found) < _SLICE:
            break
        after = found[-1].key
    yield b'],"total":%d}' % total
