"""How many agents and harnesses grant a capability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.storage.engine import Tx

_COUNT: Final = text("""
    SELECT granted.ref, count(*) FILTER (WHERE granted.of = 'agent') AS agents,
        count(*) FILTER (WHERE granted.of = 'harness') AS harnesses
    FROM (
        SELECT DISTINCT 'agent' AS of, a.id, grants.one ->> 'ref' AS ref
        FROM agents a, jsonb_array_elements(a.capabilities) AS grants (one)
        WHERE a.organization_id = :organization_id AND a.status = 'active'
        UNION ALL
        SELECT DISTINCT 'harness', h.id, grants.one ->> 'ref'
        FROM harnesses h, jsonb_array_elements(h.capabilities) AS grants (one)
        WHERE (h.organization_id = :organization_id OR h.organization_id IS NULL)
            AND h.status = 'active'
    ) AS granted
    WHERE granted.ref = ANY (:refs)
    GROUP BY granted.ref
""")


@dataclass(frozen=True, slots=True)
class GrantCounts:
    """Of one capability, active ones only."""

    agents: int = 0
    harnesses: int = 0


def count_grants(tx: Tx, organization_id: UUID, refs: Iterable[str]) -> Mapping[str, GrantCounts]:
    """By id, as an organization sees it; those that nobody grants are left out."""
    rows = tx.execute(_COUNT, {"organization_id": organization_id, "refs": list(refs)})
    return {row.ref: GrantCounts(row.agents, row.harnesses) for row in rows}
