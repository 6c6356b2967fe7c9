"""The names under which tools of MCP servers are offered: `mcp_<server>__<tool>`."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import Final

NAME_CHARACTERS: Final = 64
_SERVER_CHARACTERS: Final = 24
_HASH_CHARACTERS: Final = 8
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")


def offered_name(server_name: str, tool_name: str) -> str:
    """At most 64 letters, digits, `_` and `-`, the same for the same two names.

    A tool's name that had to be changed to fit carries a hash of the original, so that it
    is not taken for another one of its server.
    """
    server = _server_part(server_name)
    safe = _UNSAFE.sub("_", tool_name)
    offered = f"mcp_{server}__{safe}"
    if safe == tool_name and len(offered) <= NAME_CHARACTERS:
        return offered
    return f"{offered[: NAME_CHARACTERS - _HASH_CHARACTERS - 1]}_{_hash(tool_name)}"


def _server_part(name: str) -> str:
    """As the slug that makes the server's name unique, where that is ASCII and short."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    plain = _UNSAFE.sub("-", folded.encode("ascii", "ignore").decode()).strip("-_")
    if folded.isascii() and 0 < len(plain) <= _SERVER_CHARACTERS:
        return plain
    start = plain[: _SERVER_CHARACTERS - _HASH_CHARACTERS - 1].strip("-_") or "server"
    return f"{start}_{_hash(folded)}"


def _hash(text: str) -> str:
    raw = text.encode("utf-8", "replace")
    return blake2b(raw, digest_size=_HASH_CHARACTERS // 2).hexdigest()
