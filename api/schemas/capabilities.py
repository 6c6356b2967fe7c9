"""Capabilities on the wire (contract 3.9)."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from api.schemas.shared import Json, PageQuery
from common.domain.capability_catalog import CapabilityInfo, CapabilityStatus, RiskLevel, ToolInfo
from common.storage.capability_counts import GrantCounts

_MCP_PREFIX: Final = "mcp:"
_GUARDRAILS: Final = "guardrails"


class CapabilitySchema(Schema):
    """A capability that agents, sessions and harnesses may be granted."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([*CapabilityStatus]))
    icon = fields.String(required=True)
    category = fields.String(required=True)
    system_prompt = fields.String(required=True, allow_none=True)
    tool_definitions = fields.List(fields.Dict(keys=fields.String()), required=True)
    dependencies = fields.List(fields.String(), required=True)
    features = fields.List(fields.String(), required=True)
    config_schema = fields.Dict(keys=fields.String(), required=True)
    config_ui_schema = fields.Dict(keys=fields.String(), required=True, allow_none=True)
    risk_level = fields.String(required=True, validate=validate.OneOf([*RiskLevel]))
    is_mcp = fields.Boolean(required=True)
    is_skill = fields.Boolean(required=True)
    is_guardrail = fields.Boolean(required=True)
    agent_count = fields.Integer(required=True)
    harness_count = fields.Integer(required=True)
    localizations = fields.Dict(keys=fields.String(), required=True)
    docs_slug = fields.String(required=True, allow_none=True)


class CapabilityListSchema(Schema):
    """A page of capabilities, in the order of the catalogue."""

    data = fields.List(fields.Nested(CapabilitySchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


class CapabilityListQuery(PageQuery):
    """A page, and words that an entry must have."""


class GuardrailExamplesSchema(Schema):
    """Presets of guardrails; there are none yet."""

    examples = fields.List(fields.Dict(keys=fields.String()), required=True)


def show_capability(info: CapabilityInfo, counts: GrantCounts) -> Json:
    """As a client sees it."""
    return {
        "id": info.id,
        "name": info.name,
        "description": info.description,
        "status": info.status,
        "icon": info.icon,
        "category": info.category,
        "system_prompt": info.system_prompt or None,
        "tool_definitions": [_show_tool(tool, info) for tool in info.tools],
        "dependencies": list(info.dependencies),
        "features": list(info.features),
        "config_schema": info.config_schema,
        "config_ui_schema": None,
        "risk_level": info.risk_level,
        "is_mcp": info.id.startswith(_MCP_PREFIX),
        "is_skill": False,
        "is_guardrail": info.id == _GUARDRAILS,
        "agent_count": counts.agents,
        "harness_count": counts.harnesses,
        "localizations": {},
        "docs_slug": None,
    }


def _show_tool(tool: ToolInfo, info: CapabilityInfo) -> Json:
    return {
        "type": "builtin",
        "name": tool.name,
        "display_name": tool.display_name,
        "description": tool.description,
        "parameters": tool.parameters,
        "category": info.category,
    }
