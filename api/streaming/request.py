"""What a client asks of a stream, checked before the stream starts.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import UUID

from api.auth import Caller
from api.streaming.start import StartMode
from api.streaming.workflow import Workflow
from common.domain.agent import AgentRef, agent_ref
from common.domain.cursor import Cursor, LogCursor, decode_cursor
from common.domain.end_user import HEADER as END_USER_HEADER
from common.domain.end_user import end_user_principal
from common.domain.errors import (
    BadRequest,
    FieldProblem,
    InvalidCursor,
)
from common.domain.events import DELTA_TYPES, EventType, TypeFilter, is_known_filter
from common.domain.ids import Kind, parse_id
from common.domain.text import is_storable

_STARTS: Final = (StartMode.TURN, StartMode.LIVE, StartMode.ALL)
_MOST_TYPES: Final = 25
_LONGEST_NUMBER: Final = 18
_LONGEST_NAME: Final = 256
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Events of a workflow are numbered, which what is live only is not.
_NUMBERED: Final = TypeFilter(
    exclude=(*DELTA_TYPES.values(), EventType.TOOL_PROGRESS, EventType.TOOL_OUTPUT_DELTA)
)
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}

Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A stream that may be opened if the session exists.

    Attributes:
        cursor: what the client has; None: `start` decides.
        caller: tells clients apart, as far as the start rule needs it.
        agent: whose session it must be, as the path has it; None: any agent's.
        owner: whose session it must be; None: anybody's.
        workflow: of what alone events are shown; None: of the whole session.
    """

    session_id: UUID
    organization_id: UUID
    cursor: Cursor | None
    start: StartMode
    types: TypeFilter
    with_accumulated: bool
    caller: str
    agent: AgentRef | None = None
    owner: UUID | None = None
    only_agent_id: UUID | None = None
    workflow: Workflow | None = None


def parse_request(
    scope: Scope, session: str, *, organization_id: UUID, default_start: StartMode
) -> StreamRequest:
    """Read path, query and headers of an ASGI scope; the organization is the caller's.

    Raises:
        BadRequest: something is malformed, unknown or contradictory.
    """
    headers = headers_of(scope)
    query = parse_qs(bytes(scope["query_string"]).decode("latin-1"), keep_blank_values=True)
    session_id = parse_id(Kind.SESSION, session)
    return StreamRequest(
        session_id=session_id,
        organization_id=organization_id,
        cursor=_cursor(session_id, query, headers),
        start=_start(query, default_start),
        types=TypeFilter(_types(query, "types"), _types(query, "exclude")),
        with_accumulated=_flag(query, "accumulated", default=True),
        caller=_caller(scope, headers),
    )


def below_agent(request: StreamRequest, agent: str) -> StreamRequest:
    """The same for a path below an agent.

    Raises:
        BadRequest: the agent is malformed.
    """
    if len(agent) > _LONGEST_NAME or not is_storable(agent):
        raise BadRequest("Not a valid agent id")
    return replace(request, agent=agent_ref(agent))


def below_channel(
    request: StreamRequest, scope: Scope, agent: str, caller: Caller
) -> StreamRequest:
    """As `below_agent`, for the caller's own sessions only.

    Raises:
        BadRequest: the agent, or the end user that is named, is malformed.
    """
    named = headers_of(scope).get(END_USER_HEADER.lower())
    owner = end_user_principal(request.organization_id, caller.principal_id, named)
    return replace(below_agent(request, agent), owner=owner, only_agent_id=caller.agent_id)


def of_workflow(request: StreamRequest, workflow: Workflow) -> StreamRequest:
    """The same for one turn, from its first event or from the cursor on."""
    given = 0 if request.cursor is None else request.cursor.sequence
    start = LogCursor(max(given, workflow.before))
    return replace(request, workflow=workflow, cursor=start, types=_NUMBERED)


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by lower-case name; of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """What the caller calls its request; None when that is nothing to be repeated."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else None


def _bad(field: str, message: str) -> BadRequest:
    return BadRequest(message, problems=(FieldProblem(field, message),))


def _single(query: Mapping[str, list[str]], name: str) -> str:
    return query.get(name, [""])[-1].strip()


def _cursor(
    session_id: UUID, query: Mapping[str, list[str]], headers: Mapping[str, str]
) -> Cursor | None:
    since, after = _single(query, "since_id"), _single(query, "after_sequence")
    if since and after:
        raise _bad("since_id", "since_id and after_sequence exclude each other")
    if since:
        try:
            return decode_cursor(session_id, since)
        except InvalidCursor as unknown:
            message = f"since_id: {unknown.message}"
            raise InvalidCursor(
                message, problems=(FieldProblem("since_id", unknown.message),)
            ) from unknown
    if after:
        return LogCursor(_number("after_sequence", after))
    try:
        # A browser may send what it has from another stream; then it has nothing of this one.
        return decode_cursor(session_id, headers.get("last-event-id", ""))
    except InvalidCursor:
        return None


def _number(field: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_NUMBER:
        raise _bad(field, f"{field} must be a whole number from 0 on")
    return int(text)


def _start(query: Mapping[str, list[str]], default: StartMode) -> StartMode:
    text = _single(query, "start")
    if not text:
        return StartMode.AUTO if default is StartMode.TURN else default
    if text not in _STARTS:
        raise _bad("start", f"start must be one of {', '.join(_STARTS)}")
    return StartMode(text)


def _types(query: Mapping[str, list[str]], name: str) -> tuple[str, ...]:
    values = tuple(_split(query.get(name, ())))
    if len(values) > _MOST_TYPES:
        raise _bad(name, f"{name} takes at most {_MOST_TYPES} values")
    for value in values:
        if not is_known_filter(value):
            raise _bad(name, f"{name}: unknown event type {value[:100]!r}")
    return values


def _split(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        yield from (part.strip() for part in value.split(",") if part.strip())


def _flag(query: Mapping[str, list[str]], name: str, *, default: bool) -> bool:
    text = _single(query, name).lower()
    if not text:
        return default
    if text not in _FLAGS:
        raise _bad(name, f"{name} must be true or false")
    return _FLAGS[text]


def _caller(scope: Scope, headers: Mapping[str, str]) -> str:
    peer = (scope.get("client") or ("", 0))[0]
    forwarded = headers.get("x-forwarded-for", "").split(",")[0].strip()
    parts = (headers.get("authorization", ""), forwarded or peer, headers.get("user-agent", ""))
    return blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
