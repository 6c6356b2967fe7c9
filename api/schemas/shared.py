"""Shapes that agents and sessions have in common, and the query of paged lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from jsonschema import Draft202012Validator, SchemaError
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from api.schemas.capability_config import check_config
from api.schemas.fields import Boolean, Id, Integer, Object, QueryInteger, Text
from common.domain import agent as limits
from common.domain.capability_catalog import canonical_id
from common.domain.errors import DomainError
from common.domain.file import ROOT, clashes, decoded, file_path
from common.domain.ids import Kind
from common.domain.waiting import REQUIRES_APPROVAL
from common.installed_capabilities import find_capability, is_known

Json = dict[str, Any]

DEFAULT_PAGE: Final = 20
LARGEST_PAGE: Final = 100
LARGEST_OFFSET: Final = 1_000_000
MAX_ITERATIONS: Final = 10_000
_TAGS: Final = 100
_TAG_BYTES: Final = 256
_FILES: Final = 250
_PATH_BYTES: Final = 1024
_REFERENCE_BYTES: Final = 256
_POLICIES: Final = ("auto", REQUIRES_APPROVAL, "client_side")
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")

_log = structlog.get_logger()


class Body(Schema):
    """A request body: what it does not know is left out, never refused."""

    class Meta:
        """How marshmallow treats it."""

        unknown = EXCLUDE


class Tags(fields.List[str]):
    """A list of short texts; without repeats."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Text(max_bytes=_TAG_BYTES), validate=validate.Length(max=_TAGS), **kwargs)


class CapabilityReference(fields.Field[Json]):
    """`"current_time"` or `{"ref": "current_time", "config": {…}}`; loads as the object."""

    def __init__(self, **kwargs: Any) -> None:
        reference = {
            "type": "object",
            "required": ["ref"],
            "properties": {"ref": {"type": "string"}, "config": {"type": "object"}},
        }
        super().__init__(metadata={"oneOf": [{"type": "string"}, reference]}, **kwargs)

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> Json:
        given = {"ref": value} if isinstance(value, str) else value
        if not isinstance(given, dict) or not isinstance(given.get("ref"), str):
            raise ValidationError("Must be a capability id, or an object with `ref`")
        config = given.get("config")
        if config is not None and not isinstance(config, dict):
            raise ValidationError({"config": ["Must be an object"]})
        if not is_known(given["ref"]):
            raise ValidationError("Is no known capability")
        info = find_capability(given["ref"])
        if info is not None and config:
            check_config(info, config)
        return {"ref": canonical_id(given["ref"]), "config": config or {}}


class Capabilities(fields.List[Json]):
    """Capabilities in order; of one named twice the last configuration counts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CapabilityReference(), **kwargs)

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        found: Any = super()._deserialize(*args, **kwargs)
        if len(found) > limits.CAPABILITIES:
            raise ValidationError(f"Must not be more than {limits.CAPABILITIES}")
        return list({capability["ref"]: capability for capability in found}.values())


class ToolSchema(Body):
    """A tool that the client runs itself, or the policy of one that the server has."""

    class Meta:
        """Unknown keys of a tool are kept: they are hints of the client's own."""

        unknown = "include"

    type = Text(load_default="client_side")
    name = Text(
        required=True,
        validate=[
            validate.Length(min=1, max=limits.TOOL_NAME_CHARACTERS),
            validate.Regexp(r"[A-Za-z0-9_.-]+\Z", error="Must be letters, digits, _, . and -"),
        ],
    )
    description = Text(load_default="", max_bytes=limits.TOOL_DESCRIPTION_BYTES)
    parameters = Object(load_default=lambda: {"type": "object", "properties": {}})
    policy = Text(allow_none=True, validate=validate.OneOf(_POLICIES))

    @post_load
    def check(self, data: Json, **_: object) -> Json:
        """Settle the type's old spelling, bound the parameters and demand a JSON Schema."""
        if len(orjson.dumps(data["parameters"])) > limits.TOOL_PARAMETERS_BYTES:
            raise ValidationError(
                f"Must not be larger than {limits.TOOL_PARAMETERS_BYTES} bytes", "parameters"
            )
        try:
            Draft202012Validator.check_schema(data["parameters"])
        except (SchemaError, RecursionError) as wrong:
            raise ValidationError("Must be a JSON Schema", "parameters") from wrong
        kind = "client_side" if data["type"] == "client" else data["type"]
        if kind not in ("client_side", "builtin"):
            raise ValidationError("Must be client_side or builtin", "type")
        return {**data, "type": kind}


class Tools(fields.List[Json]):
    """Client-side tools; `builtin` ones are the server's to give, and only their policy counts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Nested(ToolSchema()), **kwargs)

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        given: Any = super()._deserialize(*args, **kwargs)
        tools = [tool for tool in given if tool["type"] == "client_side" or _is_guard(tool)]
        if len(tools) < len(given):
            _log.warning("builtin_tools_dropped", count=len(given) - len(tools))
        if len(tools) > limits.CLIENT_TOOLS:
            raise ValidationError(f"Must not be more than {limits.CLIENT_TOOLS} tools")
        if len({tool["name"] for tool in tools}) < len(tools):
            raise ValidationError("Has two tools of one name")
        return tools


def _is_guard(tool: Json) -> bool:
    return tool["type"] == "builtin" and tool.get("policy") == REQUIRES_APPROVAL


class InitialFileSchema(Body):
    """A file that a session's workspace begins with."""

    path = Text(required=True, max_bytes=_PATH_BYTES)
    content = Text(required=True)
    encoding = Text(validate=validate.OneOf(("text", "base64")), load_default="text")
    is_readonly = Boolean(load_default=False)

    @post_load
    def check(self, data: Json, **_: object) -> Json:
        """Allow only what can be written when a session begins."""
        try:
            path = file_path(data["path"])
            decoded(data["content"], data["encoding"])
        except DomainError as refused:
            raise ValidationError({_field(refused, "content"): [_problem(refused)]}) from refused
        if path == ROOT:
            raise ValidationError("Must name a file", "path")
        return {**data, "path": path}


class InitialFiles(fields.List[Json]):
    """Files that can be written together."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Nested(InitialFileSchema()), **kwargs)

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        given: Any = super()._deserialize(*args, **kwargs)
        if len(given) > _FILES:
            raise ValidationError(f"Must not be more than {_FILES}")
        wrong = clashes([each["path"] for each in given])
        if wrong:
            raise ValidationError({place: {"path": [why]} for place, why in wrong.items()})
        return given


class NetworkAccessSchema(Body):
    """Which hosts tools may reach."""

    allowed = fields.List(Text(max_bytes=_REFERENCE_BYTES), load_default=list)
    blocked = fields.List(Text(max_bytes=_REFERENCE_BYTES), load_default=list)


class ConfigurationFields(Body):
    """What both an agent and a session may be configured with."""

    tags = Tags(allow_none=True)
    capabilities = Capabilities(allow_none=True)
    tools = Tools(allow_none=True)
    initial_files = InitialFiles(allow_none=True)
    mcp_servers = Object(data_key="mcpServers", allow_none=True)
    network_access = fields.Nested(NetworkAccessSchema(), allow_none=True)
    max_iterations = Integer(allow_none=True, validate=validate.Range(min=1, max=MAX_ITERATIONS))
    parallel_tool_calls = Boolean(allow_none=True)
    harness_id = Id(Kind.HARNESS, allow_none=True)
    harness_name = Text(allow_none=True, max_bytes=_REFERENCE_BYTES)


class PageQuery(Schema):
    """`offset` and `limit`; a limit beyond the largest page is that page."""

    offset = QueryInteger(load_default=0, validate=validate.Range(min=0, max=LARGEST_OFFSET))
    limit = QueryInteger(load_default=DEFAULT_PAGE, validate=validate.Range(min=1))
    search = fields.String(load_default=None, validate=validate.Length(max=500))


def page_limit(query: Mapping[str, Any]) -> int:
    """The page size that is served."""
    return min(int(query["limit"]), LARGEST_PAGE)


def _field(refused: DomainError, otherwise: str) -> str:
    return refused.problems[0].field if refused.problems else otherwise


def _problem(refused: DomainError) -> str:
    return refused.problems[0].message if refused.problems else refused.message


def check_locale(text: str) -> None:
    """Refuse what is no BCP 47 tag, written with hyphens or underscores."""
    if not _LOCALE.fullmatch(text):
        raise ValidationError("Must be a language tag such as en-GB")


def given_values(data: Mapping[str, Any]) -> Json:
    """Without what is null: null stands for not given."""
    return {name: value for name, value in data.items() if value is not None}


def page(data: list[Json], *, total: int, offset: int, limit: int) -> Json:
    """The envelope of a paged list (contract 1.4)."""
    return {"data": data, "total": total, "offset": offset, "limit": limit}
