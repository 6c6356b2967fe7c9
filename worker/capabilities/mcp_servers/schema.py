"""Makes a stranger's JSON Schema one that is cheap to hold and to check.

References are written out and what lies too deep or makes too much of them is left open
(`{}`, anything): a few hundred bytes of references to references could otherwise take
longer to check than a turn may.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NODES: Final = 2000
_DEPTH: Final = 24
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
# Only names for what is written out, or fetched from elsewhere.
_DROPPED: Final = frozenset(
    {
        *_REFERENCES,
        *("$defs", "definitions", "$id", "$schema", "$anchor", "$dynamicAnchor"),
        *("$vocabulary", "$comment", "examples"),
    }
)
# What holds values, not schemas.
_LITERAL: Final = frozenset({"const", "enum", "default", "required", "type"})


def tidy_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without references, of at most `NODES` parts; always one of an object."""
    tidied = _Tidier(schema).tidy(schema, 0, frozenset())
    return {**tidied, "type": "object"} if isinstance(tidied, dict) else {"type": "object"}


class _Tidier:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = NODES

    def tidy(self, node: Any, depth: int, within: frozenset[str]) -> Any:
        """A copy; `within` are the references that are being written out around it."""
        self._left -= 1
        if self._left < 0 or depth > _DEPTH:
            return {}
        if isinstance(node, list):
            return [self.tidy(each, depth + 1, within) for each in node]
        if not isinstance(node, dict):
            return node
        copy: dict[str, Any] = {}
        ref = node.get("$ref")
        if isinstance(ref, str):
            copy = self._written_out(ref, depth, within)
        for key, value in node.items():
            if key in _LITERAL and not isinstance(value, dict):
                copy[key] = value
            elif key == "properties" and isinstance(value, dict):
                # Here the keys are the caller's own, whatever they are called.
                copy[key] = {
                    name: self.tidy(each, depth + 1, within) for name, each in value.items()
                }
            elif key not in _DROPPED:
                copy[key] = self.tidy(value, depth + 1, within)
        return copy

    def _written_out(self, ref: str, depth: int, within: frozenset[str]) -> dict[str, Any]:
        if ref in within or not ref.startswith("#/"):
            return {}
        found: Any = self._root
        for step in ref[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            return {}
        written = self.tidy(found, depth + 1, within | {ref})
        return written if isinstance(written, dict) else {}
