"""Agents on the wire: the bodies that come in, the object that goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from api.schemas.fields import Id, QueryBoolean, Text
from api.schemas.shared import ConfigurationFields, PageQuery, given_values
from common.domain.agent import (
    DESCRIPTION_BYTES,
    FALLBACK_MODELS,
    MODEL_CHARACTERS,
    NAME_CHARACTERS,
    PROMPT_BYTES,
    Agent,
    AgentConfig,
)
from common.domain.ids import Kind, show_id
from common.event_codec import show_optional_time, show_time

_CONFIG_FIELDS: Final = frozenset(AgentConfig.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class NewAgent:
    """A create or put: the whole configuration, and the id when the client chose it."""

    id: UUID | None
    config: AgentConfig


@dataclass(frozen=True, slots=True)
class AgentChanges:
    """A patch: the fields it names, null for those it clears."""

    given: dict[str, Any]


def check_name(text: str) -> None:
    """Refuse a name of nothing but space."""
    if not text.strip():
        raise ValidationError("Must not be blank")


class FallbackModels(fields.List[str]):
    """Models in the order in which they are tried, by id or by the provider's name."""

    def __init__(self, **kwargs: Any) -> None:
        item = Text(validate=[validate.Length(max=MODEL_CHARACTERS), check_name])
        super().__init__(item, validate=validate.Length(max=FALLBACK_MODELS), **kwargs)


class AgentFields(ConfigurationFields):
    """All that a caller may write."""

    name = Text(validate=[validate.Length(max=NAME_CHARACTERS), check_name])
    system_prompt = Text(max_bytes=PROMPT_BYTES)
    display_name = Text(allow_none=True, validate=validate.Length(max=256))
    description = Text(allow_none=True, max_bytes=DESCRIPTION_BYTES)
    default_model_id = Text(allow_none=True, validate=validate.Length(max=MODEL_CHARACTERS))
    fallback_models = FallbackModels(allow_none=True)

    @validates_schema
    def check_harness(self, data: dict[str, Any], **_: object) -> None:
        """Allow one way of naming the harness."""
        if data.get("harness_id") and data.get("harness_name"):
            raise ValidationError("Give harness_id or harness_name, not both", "harness_name")


class NewAgentSchema(AgentFields):
    """Body of POST and PUT."""

    id = Id(Kind.AGENT, allow_none=True)
    name = Text(required=True, validate=[validate.Length(max=NAME_CHARACTERS), check_name])
    system_prompt = Text(required=True, max_bytes=PROMPT_BYTES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> NewAgent:
        """Build the command."""
        given = given_values(data)
        agent_id = given.pop("id", None)
        return NewAgent(agent_id, AgentConfig(**given))


class AgentPatchSchema(AgentFields):
    """Body of PATCH: what is absent stays, what is null is cleared."""

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> AgentChanges:
        """Build the command."""
        return AgentChanges({name: data[name] for name in data if name in _CONFIG_FIELDS})


class AgentListQuery(PageQuery):
    """Query of GET /agents."""

    include_archived = QueryBoolean(load_default=False)


class CheckNameQuery(Schema):
    """Query of GET /agents/check-name."""

    name = fields.String(required=True)
    exclude_id = Id(Kind.AGENT, load_default=None)


class ImportQuery(Schema):
    """Query of POST /agents/import."""

    from_example = fields.String(data_key="from-example", load_default=None)


class CapabilityObject(Schema):
    """A capability as it is shown."""

    ref = fields.String(required=True)
    config = fields.Dict(required=True)


class AgentSchema(Schema):
    """An agent."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    display_name = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    system_prompt = fields.String(required=True)
    harness_id = fields.String(required=True)
    default_model_id = fields.String(required=True, allow_none=True)
    fallback_models = fields.List(fields.String(), required=True)
    default_version_id = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(("active", "archived")))
    tags = fields.List(fields.String(), required=True)
    capabilities = fields.List(fields.Nested(CapabilityObject()), required=True)
    tools = fields.List(fields.Dict(), required=True)
    initial_files = fields.List(fields.Dict(), required=True)
    mcpServers = fields.Dict(required=True)  # noqa: N815 - the wire's spelling
    network_access = fields.Dict(required=True, allow_none=True)
    max_iterations = fields.Integer(required=True, allow_none=True)
    parallel_tool_calls = fields.Boolean(required=True, allow_none=True)
    root_agent_id = fields.String(required=True, allow_none=True)
    forked_from_agent_id = fields.String(required=True, allow_none=True)
    forked_from_version_id = fields.String(required=True, allow_none=True)
    usage = fields.Dict(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    archived_at = fields.DateTime(required=True, allow_none=True)
    deleted_at = fields.DateTime(required=True, allow_none=True)


class AgentListSchema(Schema):
    """A page of agents, newest first."""

    data = fields.List(fields.Nested(AgentSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


class AvailableSchema(Schema):
    """Whether a name is free."""

    available = fields.Boolean(required=True)


class PoliciesSchema(Schema):
    """What the caller may do."""

    policies = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


def show_agent(agent: Agent) -> dict[str, Any]:
    """The agent as responses carry it."""
    config = agent.config
    assert config.harness_id is not None  # noqa: S101 - the column is not null
    return {
        "id": show_id(Kind.AGENT, agent.id),
        "name": config.name,
        "display_name": config.display_name,
        "description": config.description,
        "system_prompt": config.system_prompt,
        "harness_id": show_id(Kind.HARNESS, config.harness_id),
        "default_model_id": config.default_model_id,
        "fallback_models": config.fallback_models,
        "default_version_id": _version_id(agent.default_version_id),
        "status": agent.status,
        "tags": config.tags,
        "capabilities": config.capabilities,
        "tools": config.tools,
        "initial_files": config.initial_files,
        "mcpServers": config.mcp_servers,
        "network_access": config.network_access,
        "max_iterations": config.max_iterations,
        "parallel_tool_calls": config.parallel_tool_calls,
        "root_agent_id": _optional_id(agent.root_agent_id),
        "forked_from_agent_id": _optional_id(agent.forked_from_agent_id),
        "forked_from_version_id": _version_id(agent.forked_from_version_id),
        "usage": None,
        "created_at": show_time(agent.created_at),
        "updated_at": show_time(agent.updated_at),
        "archived_at": show_optional_time(agent.archived_at),
        "deleted_at": show_optional_time(agent.deleted_at),
    }


def _version_id(value: UUID | None) -> str | None:
    return None if value is None else show_id(Kind.AGENT_VERSION, value)


def _optional_id(value: UUID | None) -> str | None:
    return None if value is None else show_id(Kind.AGENT, value)
