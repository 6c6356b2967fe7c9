"""Harnesses on the wire: the bodies that come in, the object that goes out (contract 3.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.agents import CapabilityObject, check_name
from api.schemas.fields import Id, Object, QueryBoolean, Text
from api.schemas.shared import Body, ConfigurationFields, given_values
from common.domain.agent import (
    DESCRIPTION_BYTES,
    MODEL_CHARACTERS,
    NAME_CHARACTERS,
    PROMPT_BYTES,
)
from common.domain.harness import Harness, HarnessConfig
from common.domain.ids import Kind, show_id
from common.event_codec import show_optional_time, show_time

_CONFIG_FIELDS: Final = frozenset(HarnessConfig.__dataclass_fields__)
_METADATA_KEYS: Final = 100
_METADATA_CHARACTERS: Final = 4096


@dataclass(frozen=True, slots=True)
class HarnessChanges:
    """A patch: the fields it names, null for those it clears."""

    given: dict[str, Any]


def _check_metadata(given: dict[str, Any]) -> None:
    if len(given) > _METADATA_KEYS:
        raise ValidationError(f"Must not have more than {_METADATA_KEYS} keys")
    for value in given.values():
        if not isinstance(value, str) or len(value) > _METADATA_CHARACTERS:
            raise ValidationError(f"Values must be texts of at most {_METADATA_CHARACTERS}")


class HarnessFields(ConfigurationFields):
    """All that a caller may write."""

    class Meta(Body.Meta):
        """What only agents and sessions have."""

        exclude = ("harness_id", "harness_name", "max_iterations")

    name = Text(validate=[validate.Length(max=NAME_CHARACTERS), check_name])
    system_prompt = Text(allow_none=True, max_bytes=PROMPT_BYTES)
    display_name = Text(allow_none=True, validate=validate.Length(max=256))
    description = Text(allow_none=True, max_bytes=DESCRIPTION_BYTES)
    default_model_id = Text(allow_none=True, validate=validate.Length(max=MODEL_CHARACTERS))
    parent_harness_id = Id(Kind.HARNESS, allow_none=True)
    embedder_metadata = Object(allow_none=True, validate=_check_metadata)


class NewHarnessSchema(HarnessFields):
    """Body of POST."""

    name = Text(required=True, validate=[validate.Length(max=NAME_CHARACTERS), check_name])

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> HarnessConfig:
        """Build the command."""
        return HarnessConfig(**given_values(data))


class HarnessPatchSchema(HarnessFields):
    """Body of PATCH: what is absent stays, what is null is cleared."""

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> HarnessChanges:
        """Build the command."""
        return HarnessChanges({name: data[name] for name in data if name in _CONFIG_FIELDS})


class HarnessListQuery(Schema):
    """Query of GET /harnesses."""

    search = fields.String(load_default=None, validate=validate.Length(max=500))
    include_archived = QueryBoolean(load_default=False)


class HarnessNameQuery(Schema):
    """Query of GET /harnesses/check-name."""

    name = fields.String(required=True)
    exclude_id = Id(Kind.HARNESS, load_default=None)


class ExampleQuery(Schema):
    """Query of POST /harnesses/import."""

    from_example = fields.String(data_key="from-example", required=True)


class HarnessSchema(Schema):
    """A harness."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    display_name = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    system_prompt = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(("active", "archived")))
    parent_harness_id = fields.String(required=True, allow_none=True)
    default_model_id = fields.String(required=True, allow_none=True)
    tags = fields.List(fields.String(), required=True)
    capabilities = fields.List(fields.Nested(CapabilityObject()), required=True)
    tools = fields.List(fields.Dict(), required=True)
    initial_files = fields.List(fields.Dict(), required=True)
    mcpServers = fields.Dict(required=True)  # noqa: N815 - the wire's spelling
    network_access = fields.Dict(required=True, allow_none=True)
    parallel_tool_calls = fields.Boolean(required=True, allow_none=True)
    embedder_metadata = fields.Dict(required=True)
    is_built_in = fields.Boolean(required=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    archived_at = fields.DateTime(required=True, allow_none=True)
    deleted_at = fields.DateTime(required=True, allow_none=True)


class HarnessListSchema(Schema):
    """Every harness: the built-in ones first, then the newest."""

    data = fields.List(fields.Nested(HarnessSchema()), required=True)
    total = fields.Integer(required=True)


class HarnessExampleSchema(Schema):
    """A harness that can be imported."""

    name = fields.String(required=True)
    display_name = fields.String(required=True)
    description = fields.String(required=True)
    capabilities = fields.List(fields.Nested(CapabilityObject()), required=True)
    tags = fields.List(fields.String(), required=True)
    dev_only = fields.Boolean(required=True)
    parent_name = fields.String(required=True, allow_none=True)


def show_harness(harness: Harness) -> dict[str, Any]:
    """The harness as responses carry it."""
    config = harness.config
    parent = config.parent_harness_id
    return {
        "id": show_id(Kind.HARNESS, harness.id),
        "name": config.name,
        "display_name": config.display_name,
        "description": config.description,
        "system_prompt": config.system_prompt,
        "status": harness.status,
        "parent_harness_id": parent and show_id(Kind.HARNESS, parent),
        "default_model_id": config.default_model_id,
        "tags": config.tags,
        "capabilities": config.capabilities,
        "tools": config.tools,
        "initial_files": config.initial_files,
        "mcpServers": config.mcp_servers,
        "network_access": config.network_access,
        "parallel_tool_calls": config.parallel_tool_calls,
        "embedder_metadata": config.embedder_metadata,
        "is_built_in": harness.is_built_in,
        "created_at": show_time(harness.created_at),
        "updated_at": show_time(harness.updated_at),
        "archived_at": show_optional_time(harness.archived_at),
        "deleted_at": show_optional_time(harness.deleted_at),
    }
