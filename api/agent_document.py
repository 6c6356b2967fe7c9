r"""An agent as a document: written as Markdown, read in any of four forms.

    ---
    name: Assistant          YAML front matter: everything but the prompt
    ---
                             one empty line
    You answer briefly.      the system prompt, to the last byte

What is written reads back as the same configuration, whatever its texts hold.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

from api.endpoint import load_body
from api.request_body import read_json
from api.schemas.agents import NewAgent, NewAgentSchema
from api.yaml_reader import read_yaml
from common.domain.agent import NAME_CHARACTERS, AgentConfig
from common.domain.errors import BadRequest
from common.domain.text import is_storable

IMPORT_BYTES: Final = 3_000_000

_FENCE: Final = re.compile(r"---[ \t]*(?:\r\n|\n|\Z)")
_CLOSING: Final = re.compile(r"^---[ \t]*(?:\r\n|\n|\Z)", re.MULTILINE)
_LINE_END: Final = re.compile(r"\r\n|\n")
# A document of YAML alone says at the left margin what it is.
_YAML_AGENT: Final = re.compile(r"^(?:name|system_prompt)[ \t]*:(?:[ \t\r\n]|\Z)", re.MULTILINE)
_YAML_LINE: Final = re.compile(r"(?:---|#.*|[A-Za-z_]\w*[ \t]*:(?:[ \t].*)?)[ \t]*\r?\Z")
_WRITTEN: Final = (
    ("name", "name"),
    ("display_name", "display_name"),
    ("description", "description"),
    ("default_model_id", "default_model_id"),
    ("fallback_models", "fallback_models"),
    ("harness_name", "harness_name"),
    ("tags", "tags"),
    ("capabilities", "capabilities"),
    ("tools", "tools"),
    ("initial_files", "initial_files"),
    ("mcp_servers", "mcpServers"),
    ("network_access", "network_access"),
    ("max_iterations", "max_iterations"),
    ("parallel_tool_calls", "parallel_tool_calls"),
)
_SYNONYMS: Final = {"model": "default_model_id", "harness": "harness_name"}
_SCHEMA: Final = NewAgentSchema()
# Texts that are themselves in YAML, whoever reads it.
_BARE: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]*[A-Za-z0-9]")
_NOT_BARE: Final = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])
# What YAML takes for the end of a line, or does not allow unescaped.
_SPECIAL: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write_document(config: AgentConfig) -> str:
    """The agent as Markdown with front matter; what is empty is left out."""
    lines = [
        f"{shown}: {_written(getattr(config, name))}\n"
        for name, shown in _WRITTEN
        if getattr(config, name) not in (None, [], {})
    ]
    return f"---\n{''.join(lines)}---\n\n{config.system_prompt}"


def _written(value: object) -> str:
    """A value on one line: bare where that is safe, else as JSON, which is YAML too."""
    if isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _NOT_BARE:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return _SPECIAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def read_document(raw: bytes, *, is_json: bool) -> NewAgent:
    """The agent that a document describes.

    Raises:
        BadRequest: it describes none, saying what is wrong.
    """
    try:
        text = raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as wrong:
        raise BadRequest("The document is not valid UTF-8") from wrong
    if not text.strip():
        raise BadRequest("The document is empty")
    if not is_storable(text):
        raise BadRequest("The document has a NUL character")
    fields = _read_json(raw) if is_json or text.lstrip().startswith("{") else _read_text(text)
    for old, new in _SYNONYMS.items():
        if old in fields and new not in fields:
            fields[new] = fields.pop(old)
    return cast(NewAgent, load_body(_SCHEMA, fields))


def _read_json(raw: bytes) -> dict[str, Any]:
    value = read_json(raw)
    if not isinstance(value, dict):
        raise BadRequest("The document must be a JSON object")
    return value


def _read_text(text: str) -> dict[str, Any]:
    fence = _FENCE.match(text)
    closing = _CLOSING.search(text, fence.end()) if fence else None
    if fence and closing:
        front = read_yaml(text[fence.end() : closing.start()])
        if isinstance(front, dict):
            return _with_prompt(front, text[closing.end() :])
    elif _YAML_AGENT.search(text) and _YAML_LINE.match(_first_line(text)):
        fields = read_yaml(text)
        if isinstance(fields, dict):
            return fields
    return _plain(text)


def _with_prompt(front: dict[str, Any], body: str) -> dict[str, Any]:
    gap = _LINE_END.match(body)
    prompt = body[gap.end() :] if gap else body
    if prompt or "system_prompt" not in front:
        return {**front, "system_prompt": prompt}
    return front


def _plain(text: str) -> dict[str, Any]:
    """A prompt alone: its first line is the name."""
    name = _first_line(text).strip().lstrip("#").strip(" \t-*_")[:NAME_CHARACTERS].strip()
    return {"name": name or "Imported agent", "system_prompt": text}


def _first_line(text: str) -> str:
    return next(line for line in text.split("\n") if line.strip())
