"""MCP servers on the wire: the bodies that come in, the object that goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Number, Object, QueryBoolean, Text, unacceptable
from api.schemas.shared import Body, PageQuery
from common.domain import mcp_server as limits
from common.domain.ids import Kind, show_id
from common.domain.mcp_server import (
    AuthMode,
    McpServer,
    McpServerStatus,
    ProtocolMode,
    problem_of_header,
)
from common.domain.outbound.target import URL_CHARACTERS
from common.event_codec import show_optional_time, show_time

_SETTABLE: Final = ("active", "disabled", "archived")


@dataclass(frozen=True, slots=True)
class GivenServer:
    """What a create or a patch names; null stands for the default."""

    given: dict[str, Any]


def _check_name(text: str) -> None:
    if not text.strip():
        raise ValidationError("Must not be blank")


def _check_transport(text: str) -> None:
    if text != "http":
        raise unacceptable("Only http is supported: a server reached over streamable HTTP")


def _check_auth(text: str) -> None:
    if text == AuthMode.O_AUTH:
        raise unacceptable("o_auth is not supported yet; use none or api_key")


def _check_headers(headers: Mapping[str, Any] | None) -> None:
    if headers is None:
        return
    if len(headers) > limits.HEADERS:
        raise ValidationError(f"Must not be more than {limits.HEADERS}")
    wrong = {
        name: [problem]
        for name, value in headers.items()
        if (problem := problem_of_header(name, value)) is not None
    }
    if wrong:
        raise ValidationError(wrong)
    if len({name.lower() for name in headers}) < len(headers):
        raise ValidationError("Has two headers of one name")


class McpServerFields(Body):
    """All that a caller may write."""

    name = Text(validate=[validate.Length(max=limits.NAME_CHARACTERS), _check_name])
    url = Text(validate=validate.Length(min=1, max=URL_CHARACTERS))
    description = Text(allow_none=True, max_bytes=limits.DESCRIPTION_BYTES)
    transport_type = Text(
        allow_none=True, validate=[validate.OneOf(("http", "stdio", "sse")), _check_transport]
    )
    auth_mode = Text(
        allow_none=True, validate=[validate.OneOf([mode.value for mode in AuthMode]), _check_auth]
    )
    protocol_mode = Text(
        allow_none=True, validate=validate.OneOf([mode.value for mode in ProtocolMode])
    )
    timeout_seconds = Number(
        allow_none=True, validate=validate.Range(min=1, max=limits.LONGEST_TIMEOUT_SECONDS)
    )
    headers = Object(allow_none=True, validate=_check_headers)
    api_key = Text(
        allow_none=True,
        validate=validate.Regexp(
            rf"[\x21-\x7e]{{1,{limits.KEY_BYTES}}}\Z", error="Must be visible ASCII characters"
        ),
    )

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> GivenServer:
        """Build the command."""
        return GivenServer(data)


class NewMcpServerSchema(McpServerFields):
    """Body of POST."""

    name = Text(required=True, validate=[validate.Length(max=limits.NAME_CHARACTERS), _check_name])
    url = Text(required=True, validate=validate.Length(min=1, max=URL_CHARACTERS))


class McpServerPatchSchema(McpServerFields):
    """Body of PATCH: what is absent stays, what is null goes back to its default."""

    status = Text(validate=validate.OneOf(_SETTABLE))


class McpServerListQuery(PageQuery):
    """Query of GET /mcp-servers."""

    include_archived = QueryBoolean(load_default=False)


class McpToolObject(Schema):
    """A tool that a server has listed."""

    name = fields.String(required=True)
    description = fields.String(required=True)


class McpServerSchema(Schema):
    """An MCP server; its secrets are never shown."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    url = fields.String(required=True)
    transport_type = fields.String(required=True)
    auth_mode = fields.String(required=True)
    protocol_mode = fields.String(required=True)
    timeout_seconds = fields.Float(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_SETTABLE))
    api_key_set = fields.Boolean(required=True)
    header_names = fields.List(fields.String(), required=True)
    capability_id = fields.String(required=True)
    tools = fields.List(fields.Nested(McpToolObject()), required=True, allow_none=True)
    tools_fetched_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    archived_at = fields.DateTime(required=True, allow_none=True)


class McpServerListSchema(Schema):
    """A page of servers, newest first."""

    data = fields.List(fields.Nested(McpServerSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


def show_server(server: McpServer) -> dict[str, Any]:
    """The server as responses carry it."""
    config = server.config
    assert server.status is not McpServerStatus.DELETED  # noqa: S101 - never read
    return {
        "id": show_id(Kind.MCP_SERVER, server.id),
        "name": config.name,
        "description": config.description,
        "url": config.url,
        "transport_type": "http",
        "auth_mode": config.auth_mode,
        "protocol_mode": config.protocol_mode,
        "timeout_seconds": config.timeout_seconds,
        "status": server.status,
        "api_key_set": server.api_key is not None,
        "header_names": server.header_names,
        "capability_id": server.capability_id,
        "tools": _shown_tools(server),
        "tools_fetched_at": show_optional_time(server.tools_fetched_at),
        "created_at": show_time(server.created_at),
        "updated_at": show_time(server.updated_at),
        "archived_at": show_optional_time(server.archived_at),
    }


def _shown_tools(server: McpServer) -> list[dict[str, str]] | None:
    if server.tools is None:
        return None
    return [
        {"name": tool["name"], "description": tool.get("description", "")} for tool in server.tools
    ]
