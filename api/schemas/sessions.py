"""Sessions on the wire: the bodies that come in, the object that goes out (contract 3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from api.schemas.agents import CapabilityObject
from api.schemas.fields import Id, Integer, Object, Text
from api.schemas.shared import (
    Body,
    ConfigurationFields,
    PageQuery,
    Tags,
    check_locale,
    given_values,
)
from api.schemas.waiting import PendingCallSchema, show_pending
from common.domain.agent import PROMPT_BYTES
from common.domain.ids import Kind, show_id
from common.domain.session import ForkChanges, Session, SessionConfig, SessionCounts, SessionPatch
from common.domain.turn import SessionStatus
from common.domain.waiting import WaitKind
from common.event_codec import show_optional_time, show_time
from common.installed_capabilities import find_capability

TITLE_BYTES = 2048


class NewSessionSchema(ConfigurationFields):
    """Body of POST /sessions; every field is optional."""

    agent_id = Id(Kind.AGENT, allow_none=True)
    agent_name = Text(allow_none=True, max_bytes=256)
    title = Text(allow_none=True, max_bytes=TITLE_BYTES)
    locale = Text(allow_none=True, validate=check_locale)
    model_id = Text(allow_none=True, validate=validate.Length(max=256))
    system_prompt = Text(allow_none=True, max_bytes=PROMPT_BYTES)
    hints = Object(allow_none=True)
    workspace_id = Id(Kind.WORKSPACE, allow_none=True)

    @validates_schema
    def check_exclusive(self, data: dict[str, Any], **_: object) -> None:
        """Allow one way of naming the agent, and one of naming the harness."""
        for one, other in (("agent_id", "agent_name"), ("harness_id", "harness_name")):
            if data.get(one) is not None and data.get(other) is not None:
                raise ValidationError(f"Give {one} or {other}, not both", other)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> SessionConfig:
        """Build the command."""
        return SessionConfig(**given_values(data))


class SessionPatchSchema(Body):
    """Body of PATCH: what is absent stays, what is null is cleared."""

    title = Text(allow_none=True, max_bytes=TITLE_BYTES)
    locale = Text(allow_none=True, validate=check_locale)
    model_id = Text(allow_none=True, validate=validate.Length(max=256))
    tags = Tags(allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> SessionPatch:
        """Build the command."""
        return SessionPatch(given=frozenset(data), **given_values(data))


class ForkSchema(Body):
    """Body of POST …/fork: what is absent is as in the session, what is null is cleared."""

    title = Text(allow_none=True, max_bytes=TITLE_BYTES)
    tags = Tags(allow_none=True)
    model_id = Text(allow_none=True, validate=validate.Length(max=256))
    agent_id = Id(Kind.AGENT, allow_none=True)
    locale = Text(allow_none=True, validate=check_locale)
    system_prompt = Text(allow_none=True, max_bytes=PROMPT_BYTES)
    up_to_sequence = Integer(allow_none=True, validate=validate.Range(min=1))

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> ForkChanges:
        """Build the command."""
        return ForkChanges(given=frozenset(data), **given_values(data))


class ChatSchema(Body):
    """Body of POST /sessions/chat."""

    locale = Text(allow_none=True, load_default=None, validate=check_locale)


class SessionListQuery(PageQuery):
    """Query of GET /sessions."""

    agent_id = Id(Kind.AGENT, load_default=None)


class ExportQuery(Schema):
    """Query of GET /sessions/{id}/export; `segmented` and `cursor` change nothing."""

    format = fields.String(
        load_default="jsonl", validate=validate.OneOf(("jsonl", "ndjson", "atif"))
    )


class UsageSchema(Schema):
    """Tokens used so far."""

    input_tokens = fields.Integer(required=True)
    output_tokens = fields.Integer(required=True)


class SessionSchema(Schema):
    """A session."""

    id = fields.String(required=True)
    organization_id = fields.String(required=True)
    harness_id = fields.String(required=True)
    agent_id = fields.String(required=True, allow_none=True)
    agent_version_id = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, allow_none=True)
    preview = fields.String(required=True, allow_none=True)
    output_preview = fields.String(required=True, allow_none=True)
    locale = fields.String(required=True, allow_none=True)
    model_id = fields.String(required=True, allow_none=True)
    system_prompt = fields.String(required=True, allow_none=True)
    status = fields.String(
        required=True, validate=validate.OneOf([str(status) for status in SessionStatus])
    )
    tags = fields.List(fields.String(), required=True)
    capabilities = fields.List(fields.Nested(CapabilityObject()), required=True)
    tools = fields.List(fields.Dict(), required=True)
    initial_files = fields.List(fields.Dict(), required=True)
    mcpServers = fields.Dict(required=True)  # noqa: N815 - the wire's spelling
    hints = fields.Dict(required=True, allow_none=True)
    network_access = fields.Dict(required=True, allow_none=True)
    max_iterations = fields.Integer(required=True, allow_none=True)
    parallel_tool_calls = fields.Boolean(required=True, allow_none=True)
    workspace_id = fields.String(required=True)
    parent_session_id = fields.String(required=True, allow_none=True)
    forked_from_session_id = fields.String(required=True, allow_none=True)
    forked_from_sequence = fields.Integer(required=True, allow_none=True)
    features = fields.List(fields.String(), required=True)
    is_pinned = fields.Boolean(required=True)
    active_schedule_count = fields.Integer(required=True)
    owner_principal_id = fields.String(required=True)
    usage = fields.Nested(UsageSchema(), required=True)
    started_at = fields.DateTime(required=True, allow_none=True)
    finished_at = fields.DateTime(required=True, allow_none=True)
    pending_tool_calls = fields.List(fields.Nested(PendingCallSchema()), required=True)
    pending_approvals = fields.List(fields.Nested(PendingCallSchema()), required=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class SessionListSchema(Schema):
    """A page of sessions, newest first."""

    data = fields.List(fields.Nested(SessionSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


class SessionStatsSchema(Schema):
    """How many sessions there are, by status."""

    total = fields.Integer(required=True)
    started = fields.Integer(required=True)
    active = fields.Integer(required=True)
    idle = fields.Integer(required=True)
    waiting_for_tool_results = fields.Integer(required=True)


class CancelSchema(Schema):
    """What a cancel did; `message` is for people."""

    status = fields.String(required=True, validate=validate.OneOf(("cancelled", "no_op")))
    message = fields.String(required=True)


def show_session(session: Session) -> dict[str, Any]:
    """The session as responses carry it: every field, always."""
    config = session.config
    return {
        "id": show_id(Kind.SESSION, session.id),
        "organization_id": show_id(Kind.ORGANIZATION, session.organization_id),
        "harness_id": show_id(Kind.HARNESS, session.harness_id),
        "agent_id": session.agent_id and show_id(Kind.AGENT, session.agent_id),
        "agent_version_id": None,
        "title": config.title,
        "preview": session.preview,
        "output_preview": session.output_preview,
        "locale": config.locale,
        "model_id": config.model_id,
        "system_prompt": config.system_prompt,
        "status": session.status,
        "tags": config.tags,
        "capabilities": config.capabilities,
        "tools": config.tools,
        "initial_files": config.initial_files,
        "mcpServers": config.mcp_servers,
        "hints": config.hints,
        "network_access": config.network_access,
        "max_iterations": config.max_iterations,
        "parallel_tool_calls": config.parallel_tool_calls,
        "workspace_id": show_id(Kind.WORKSPACE, session.workspace_id),
        "parent_session_id": _optional_id(session.parent_session_id),
        "forked_from_session_id": _optional_id(session.forked_from_session_id),
        "forked_from_sequence": session.forked_from_sequence,
        "features": _features(session.granted),
        "is_pinned": session.is_pinned,
        "active_schedule_count": 0,
        "owner_principal_id": str(session.owner_principal_id),
        "usage": session.usage.to_json(),
        "started_at": show_optional_time(session.started_at),
        "finished_at": None,
        "pending_tool_calls": show_pending(session.waiting, WaitKind.RESULTS),
        "pending_approvals": show_pending(session.waiting, WaitKind.DECISIONS),
        "created_at": show_time(session.created_at),
        "updated_at": show_time(session.updated_at),
    }


def _features(granted: Iterable[str]) -> list[str]:
    """What the granted capabilities, and those they depend on, make the session able to do."""
    features: dict[str, None] = {}
    open_refs, seen = list(granted), set[str]()
    while open_refs:
        info = find_capability(open_refs.pop(0))
        if info is not None and info.id not in seen:
            seen.add(info.id)
            features |= dict.fromkeys(info.features)
            open_refs += info.dependencies
    return list(features)


def show_counts(counts: SessionCounts) -> dict[str, int]:
    """The answer of GET /sessions/stats."""
    return {
        "total": counts.total,
        "started": counts.started,
        "active": counts.active,
        "idle": counts.idle,
        "waiting_for_tool_results": counts.waiting,
    }


def _optional_id(value: UUID | None) -> str | None:
    return None if value is None else show_id(Kind.SESSION, value)
