"""Agents as somebody is writing them: the bodies of preview and analyze, and the findings."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.schemas.fields import Id, Object, Text
from api.schemas.shared import Body
from common.domain.agent import CAPABILITIES, PROMPT_BYTES
from common.domain.ids import Kind

_TOOLS = 500


class _Reference(fields.Field[dict[str, Any]]):
    """A capability by id or `{ref, config}`; unknown ones are for a finding to say."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        given = {"ref": value} if isinstance(value, str) else value
        if not isinstance(given, dict) or not isinstance(given.get("ref"), str):
            raise ValidationError("Must be a capability id, or an object with `ref`")
        config = given.get("config")
        if config is not None and not isinstance(config, dict):
            raise ValidationError("`config` must be an object")
        return {"ref": given["ref"], "config": config or {}}


class DraftSchema(Body):
    """What preview and analyze take; nothing of it need be acceptable for an agent."""

    system_prompt = Text(allow_none=True, load_default="", max_bytes=PROMPT_BYTES)
    capabilities = fields.List(
        _Reference(),
        allow_none=True,
        load_default=list,
        validate=validate.Length(max=CAPABILITIES),
    )
    tools = fields.List(
        Object(), allow_none=True, load_default=list, validate=validate.Length(max=_TOOLS)
    )
    mcp_servers = Object(data_key="mcpServers", allow_none=True, load_default=dict)


class AgentPreviewSchema(DraftSchema):
    """Body of POST /agents/preview."""

    harness_id = Id(Kind.HARNESS, allow_none=True, load_default=None)
    harness_name = Text(allow_none=True, load_default=None, max_bytes=256)

    @validates_schema
    def check_harness(self, data: dict[str, Any], **_: object) -> None:
        """Allow one way of naming the harness."""
        if data.get("harness_id") and data.get("harness_name"):
            raise ValidationError("Give harness_id or harness_name, not both", "harness_name")


class HarnessPreviewSchema(DraftSchema):
    """Body of POST /harnesses/preview."""

    parent_harness_id = Id(Kind.HARNESS, allow_none=True, load_default=None)


class LocationSchema(Schema):
    """Where something was noticed."""

    field = fields.String(required=True)
    start = fields.Integer()
    end = fields.Integer()


class FindingSchema(Schema):
    """One thing noticed."""

    rule_id = fields.String(required=True)
    category = fields.String(required=True)
    severity = fields.String(required=True)
    source = fields.String(required=True)
    message = fields.String(required=True)
    fix = fields.String()
    location = fields.Nested(LocationSchema())


class AnalysisSchema(Schema):
    """Everything noticed."""

    findings = fields.List(fields.Nested(FindingSchema()), required=True)


class PreviewAnswerSchema(AnalysisSchema):
    """What the model would be given."""

    system_prompt = fields.String(required=True)
    tools = fields.List(fields.Dict(), required=True)
