"""What goes into the audit log: each request that changes something, and each that is refused.

One hook sees every answer, so no view has to remember.  An entry says who, what, on which
resource and with what outcome; nothing of a body, a query or a header but the request's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPMethod, HTTPStatus
from typing import Any, Final
from uuid import UUID

import structlog
from flask import Flask, Response, current_app, g, request

from api.audit_trail import AuditTrail
from api.auth import NOBODY, Caller, actor_of
from api.client_address import client_address
from api.deps import Deps, current_deps
from api.endpoint import contract_of, need_of, read_argument
from api.errors import envelope
from common import clock
from common.domain.access import Need, Scope
from common.domain.agent import NamedRef
from common.domain.audit import (
    ADDRESS_CHARACTERS,
    Actor,
    ActorType,
    Entry,
    Outcome,
    Resource,
    outcome_of,
    shown,
)
from common.domain.errors import DomainError
from common.domain.ids import NO_ORGANIZATION, Kind, parse_id, show_id
from common.storage.engine import DatabaseError, sqlstate

# What is done all the time; everything else is answered when its entry is written.
_FREQUENT: Final[frozenset[Need]] = frozenset(
    {
        Scope.CHANNELS_USE,
        Scope.FILES_WRITE,
        Scope.IMAGES_WRITE,
        Scope.SESSIONS_APPROVE,
        Scope.SESSIONS_WRITE,
    }
)
_RETRY_AFTER_SECONDS: Final = 2
_SECRETS: Final = "set_secrets"
_READING: Final = (HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS)
# What an argument of a path names, where it is an id.
KINDS: Final = {
    "agent": Kind.AGENT,
    "channel": Kind.AGENT,
    "delivery_id": Kind.WEBHOOK_DELIVERY,
    "entry_id": Kind.DEAD_LETTER,
    "from_id": Kind.AGENT_VERSION,
    "harness": Kind.HARNESS,
    "image_id": Kind.IMAGE,
    "invitation_id": Kind.INVITATION,
    "key": Kind.PROVIDER,
    "key_id": Kind.API_KEY,
    "login_id": Kind.LOGIN,
    "model_id": Kind.MODEL,
    "org": Kind.ORGANIZATION,
    "provider_id": Kind.PROVIDER,
    "server_id": Kind.MCP_SERVER,
    "session_id": Kind.SESSION,
    "to_id": Kind.AGENT_VERSION,
    "user_id": Kind.USER,
    "version_id": Kind.AGENT_VERSION,
    "webhook_id": Kind.WEBHOOK,
    "worker_id": Kind.WORKER,
    "workflow_id": Kind.TURN,
    "workspace_id": Kind.WORKSPACE,
}
# What else a path names, by a text of its own.
NAMES: Final = {"capability_id": "capability", "file": "file"}
_PREFIXES: Final = {kind.value: kind for kind in Kind}
# Ids of these are shown without a prefix: what is made below such a path.
_BARE: Final = {"images": Kind.IMAGE, "messages": Kind.MESSAGE, "users": Kind.USER}

_log = structlog.get_logger()


def record(app: Flask) -> None:
    """Register the hook; register it after those that every answer needs."""
    app.after_request(_record)


def note_user(user_id: UUID) -> None:
    """Say who it was, where a route asks nobody beforehand: logging in and out."""
    g.audited_user = user_id


def note_tried(user_id: UUID | None) -> None:
    """Say whose password was tried in vain."""
    g.audited_resources = () if user_id is None else (shown(Kind.USER, user_id),)


def _record(response: Response) -> Response:
    deps = current_deps()
    trail = deps.trail
    if trail is None or request.endpoint is None or not _is_recorded(response.status_code):
        return response
    entry = _entry(deps, response)
    if entry.actor.type is ActorType.UNKNOWN:
        trail.put_of_stranger(entry)
    elif entry.outcome is not Outcome.DONE or _is_frequent(entry.action):
        trail.put(entry)
    else:
        return _written(deps, trail, entry, response)
    return response


def _is_recorded(status: int) -> bool:
    """Whether it was refused, or let in to change something."""
    if outcome_of(status) is Outcome.REFUSED:
        return request.method != HTTPMethod.OPTIONS
    if request.method in _READING or "caller" not in g:
        return False
    contract = contract_of(_view())
    return contract is None or not contract.only_reads


def _is_frequent(action: str) -> bool:
    return need_of(_view()) in _FREQUENT and action != _SECRETS


def _written(deps: Deps, trail: AuditTrail, entry: Entry, response: Response) -> Response:
    """The answer, once the entry is in the log: there is no success without one."""
    try:
        trail.write(deps.database, entry)
    except DatabaseError as failure:
        _log.error("audit_unavailable", error=type(failure).__name__, sqlstate=sqlstate(failure))
        return envelope(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "audit_unavailable",
            "It is done, but cannot be entered in the audit log yet; look before you try again",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        )
    return response


def _entry(deps: Deps, response: Response) -> Entry:
    caller: Caller = g.get("caller", NOBODY)
    view = _view()
    is_somewhere = caller.organization_id != NO_ORGANIZATION
    actor = _actor(caller)
    is_stranger = actor.type is ActorType.UNKNOWN
    return Entry(
        id=clock.new_id(),
        at=clock.now(),
        organization_id=caller.organization_id if is_somewhere else None,
        actor=actor,
        action=view.__name__,
        outcome=outcome_of(response.status_code),
        method=request.method,
        route=template(request.url_rule.rule) if request.url_rule else None,
        status=response.status_code,
        # What strangers write into a path is not kept.
        resources=g.get("audited_resources", ()) if is_stranger else tuple(_resources()),
        request_id=g.get("request_id"),
        address=_address(deps),
    )


def _actor(caller: Caller) -> Actor:
    user_id: UUID | None = g.get("audited_user")
    if user_id is not None:
        return Actor(ActorType.USER, show_id(Kind.USER, user_id))
    return actor_of(caller)


def _resources() -> Iterator[Resource]:
    """What the path names, and then what was made."""
    named = []
    for name, given in (request.view_args or {}).items():
        found = _named(name, str(given))
        if found is not None:
            named.append(found.id)
            yield found
    made = g.get("answered_id")
    if isinstance(made, str) and made not in named:
        found = _made(made)
        if found is not None:
            yield found


def _named(name: str, given: str) -> Resource | None:
    try:
        value = read_argument(name, given)
    except (DomainError, KeyError):
        return None  # it names nothing that there could be
    if name in NAMES:
        return Resource(NAMES[name], str(value))
    kind = KINDS[name]
    if isinstance(value, NamedRef):
        return (
            Resource(kind.name.lower(), str(value)) if value.id is None else shown(kind, value.id)
        )
    return shown(kind, value)


def _made(given: str) -> Resource | None:
    prefix, _, _ = given.rpartition("_")
    last = request.url_rule.rule.rpartition("/")[2] if request.url_rule else ""
    kind = _PREFIXES.get(prefix, _BARE.get(last))
    if kind is None:
        return None
    try:
        return shown(kind, parse_id(kind, given))
    except DomainError:
        return None


def _address(deps: Deps) -> str:
    address = client_address(
        request.remote_addr or "",
        request.headers.get("X-Forwarded-For", ""),
        hops=deps.settings.trusted_proxy_hops,
    )
    return address[:ADDRESS_CHARACTERS]


def _view() -> Any:
    return current_app.view_functions[request.endpoint or ""]


@lru_cache(maxsize=1024)
def template(rule: str) -> str:
    """A rule as the OpenAPI document writes paths."""
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule)
