"""Where secrets are stored, for who encrypts them anew: every column of envelopes there is.

A part that stores secrets adds its column to the list; rotation needs nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text

from common.encryption import Envelope
from common.storage.engine import Tx


@dataclass(frozen=True, slots=True)
class SecretColumn:
    """A JSONB column of which each value is an envelope or null.

    Attributes:
        purpose: what its values are encrypted as, with the key's columns in braces.
        key: the columns of the primary key with their types, in its order.
    """

    table: str
    column: str
    purpose: str
    key: tuple[tuple[str, str], ...] = (("id", "uuid"),)

    def purpose_of(self, key: Mapping[str, str]) -> str:
        return self.purpose.format_map(key)


SECRET_COLUMNS: Final[tuple[SecretColumn, ...]] = (
    SecretColumn("providers", "api_key", "provider:{id}"),
    SecretColumn("mcp_servers", "headers", "mcp_server:{id}:headers"),
    SecretColumn("mcp_servers", "api_key", "mcp_server:{id}:api_key"),
    SecretColumn("webhooks", "secret", "webhook:{id}:secret"),
    SecretColumn(
        "session_secrets",
        "secret",
        "session-secret:{session_id}:{name}",
        key=(("session_id", "uuid"), ("name", "text")),
    ),
)


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """An envelope and the key of its row, as text."""

    key: dict[str, str]
    envelope: Envelope


def read_slice(
    tx: Tx, place: SecretColumn, after: Mapping[str, str] | None, *, limit: int
) -> list[StoredSecret]:
    """The next secrets of a column, in the order of the rows' keys."""
    named = [f"{place.table}.{name}" for name, _ in place.key]
    condition = "true"
    if after is not None:
        condition = f"({', '.join(named)}) > ({', '.join(_given(place))})"
    shown = ", ".join(f"CAST({name} AS text) AS {name}" for name, _ in place.key)
    rows = tx.execute(
        text(
            f"SELECT {shown}, {place.column} AS envelope FROM {place.table}"
            f" WHERE jsonb_typeof({place.column}) = 'object' AND {condition}"
            f" ORDER BY {', '.join(named)} LIMIT :limit"
        ),
        {"limit": limit, **(after or {})},
    )
    return [
        StoredSecret({name: getattr(row, name) for name, _ in place.key}, row.envelope)
        for row in rows
    ]


def replace(tx: Tx, place: SecretColumn, secret: StoredSecret, envelope: Envelope) -> bool:
    """Store the new envelope, unless somebody has stored another secret meanwhile."""
    named = ", ".join(name for name, _ in place.key)
    changed = tx.execute(
        text(
            f"UPDATE {place.table} SET {place.column} = CAST(:new_envelope AS jsonb)"
            f" WHERE ({named}) = ({', '.join(_given(place))})"
            f" AND {place.column} = CAST(:old_envelope AS jsonb)"
        ),
        {
            "new_envelope": _json(envelope),
            "old_envelope": _json(secret.envelope),
            **secret.key,
        },
    )
    return changed.rowcount == 1


def _given(place: SecretColumn) -> list[str]:
    """The key's values as parameters: read as text, compared as what they are."""
    return [f"CAST(:{name} AS {kind})" for name, kind in place.key]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
