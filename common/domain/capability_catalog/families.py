"""Open families of capability ids: `<prefix>:<member>`, the members being somebody's data.

Here only an id's form is judged; whether the member is there is the storage's to say, for
the organization that asks.  Who builds a family adds its prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from common.domain.mcp_server import CAPABILITY_PREFIX, is_server_reference

# By prefix: whether the rest of an id is well formed.
FAMILIES: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {CAPABILITY_PREFIX: is_server_reference}
)


def family_of(ref: str) -> str | None:
    """The prefix of a well-formed id of a family; None for any other reference."""
    prefix, mark, member = ref.partition(":")
    is_well_formed = FAMILIES.get(prefix)
    return prefix if mark and is_well_formed is not None and is_well_formed(member) else None
