"""What a server lists, as it is kept, and as tools of a turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from jsonschema import Draft202012Validator, SchemaError

from common.domain.mcp_names import offered_name
from common.domain.text import storable
from worker.capabilities.capability import SideEffect
from worker.capabilities.mcp_servers.schema import tidy_schema

if TYPE_CHECKING:
    import mcp_types

DESCRIPTION_CHARACTERS: Final = 4000
SCHEMA_BYTES: Final = 32 * 1024
_TITLE_CHARACTERS: Final = 200
_THEIR_NAME_CHARACTERS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTool:
    """A tool as the server's list, cut to size, says."""

    name: str
    title: str
    description: str
    parameters: Mapping[str, Any]
    side_effect: SideEffect

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "parameters": self.parameters,
            "side_effect": self.side_effect,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ListedTool:
        """From what is stored."""
        return cls(
            name=raw["name"],
            title=raw["title"],
            description=raw["description"],
            parameters=raw["parameters"],
            side_effect=SideEffect(raw["side_effect"]),
        )


def listed(tools: Iterable[mcp_types.Tool]) -> list[ListedTool]:
    """The tools that can be offered; of two of one name the first."""
    found: dict[str, ListedTool] = {}
    for tool in tools:
        if tool.name and len(tool.name) <= _THEIR_NAME_CHARACTERS and storable(tool.name):
            found.setdefault(tool.name, _listed(tool))
    return list(found.values())


def by_offered_name(server_name: str, tools: Iterable[ListedTool]) -> dict[str, ListedTool]:
    """The tools by the name that a model is shown, in the same order."""
    return {offered_name(server_name, tool.name): tool for tool in tools}


def _listed(tool: mcp_types.Tool) -> ListedTool:
    hints = tool.annotations
    title = tool.title or (hints.title if hints else None) or tool.name
    return ListedTool(
        name=tool.name,
        title=storable(title)[:_TITLE_CHARACTERS],
        description=storable(tool.description or "")[:DESCRIPTION_CHARACTERS],
        parameters=_parameters(tool.input_schema),
        side_effect=_side_effect(hints),
    )


def _side_effect(hints: mcp_types.ToolAnnotations | None) -> SideEffect:
    """Only what the server vouches for is repeated when a worker is lost."""
    if hints is not None and hints.read_only_hint:
        return SideEffect.PURE
    if hints is not None and hints.idempotent_hint:
        return SideEffect.IDEMPOTENT
    return SideEffect.AT_MOST_ONCE


def _parameters(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema that can be stored, sent and checked; one of anything when theirs cannot."""
    anything: dict[str, Any] = {"type": "object"}
    try:
        tidied = tidy_schema(schema)
        raw = orjson.dumps(tidied)
        if len(raw) > SCHEMA_BYTES or b"\\u0000" in raw:
            return anything
        Draft202012Validator.check_schema(tidied)
    except (SchemaError, orjson.JSONEncodeError, RecursionError):
        return anything
    return tidied
