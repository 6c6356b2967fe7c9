"""Names of tools as every provider takes them."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

_LEGAL: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST: Final = 64
_HASH_BYTES: Final = 4


def legal_name(name: str) -> str:
    """The name itself, or one of letters, digits, `_` and `-`, always the same for it.

    A client may declare a tool with a dot in its name, and a model may call one by any name.
    What was changed carries a hash, so that it is not taken for another tool.
    """
    if _LEGAL.fullmatch(name):
        return name
    raw = name.encode("utf-8", "surrogatepass")
    mark = f"_{blake2b(raw, digest_size=_HASH_BYTES).hexdigest()}"
    return _ILLEGAL.sub("_", name)[: _LONGEST - len(mark)] + mark
