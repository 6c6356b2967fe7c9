"""What a harness amounts to together with those it stands on, as one recursive query.

The nearest harness that says anything about prompt, model, network access or parallel calls
decides it; capabilities, tools, files and MCP servers add up, from the root of the chain on, so
that whoever reads them in order takes the nearest of two with one name.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.domain.harness import MAX_PARENTS, MergedHarness
from common.storage.engine import Tx

_IS_THERE: Final = "(h.organization_id IS NULL OR h.organization_id = :organization_id)"


def _nearest(column: str, condition: str) -> str:
    return f"(array_agg({column} ORDER BY depth) FILTER (WHERE {condition}))[1] AS {column}"


def _joined(column: str) -> str:
    # The lists of the chain one after the other, from the root on.
    lists = f"jsonb_agg({column} ORDER BY depth DESC)"
    return f"coalesce(jsonb_path_query_array({lists}, '$[*][*]'), '[]'::jsonb) AS {column}"


def merged_harness(harness_id: str) -> str:
    """The common table expressions that make `harness`: one row, or nulls when there is none.

    `harness_id` is an SQL expression, `:organization_id` whose harnesses there are beside the
    built-in ones.  To stand right after `WITH RECURSIVE`.
    """
    return f"""chain AS (
        SELECT h.*, 0 AS depth FROM harnesses h WHERE h.id = {harness_id} AND {_IS_THERE}
        UNION ALL
        SELECT h.*, c.depth + 1 FROM chain c JOIN harnesses h ON h.id = c.parent_harness_id
        WHERE c.depth < {MAX_PARENTS} AND {_IS_THERE}
    ), harness AS (
        SELECT
            (array_agg(id ORDER BY depth))[1] AS id,
            {_nearest("system_prompt", "system_prompt <> ''")},
            {_nearest("default_model_id", "default_model_id IS NOT NULL")},
            {_nearest("network_access", "network_access IS NOT NULL")},
            {_nearest("parallel_tool_calls", "parallel_tool_calls IS NOT NULL")},
            {_joined("capabilities")}, {_joined("tools")}, {_joined("initial_files")},
            coalesce((
                SELECT jsonb_object_agg(key, value ORDER BY c.depth DESC)
                FROM chain c, jsonb_each(c.mcp_servers)
            ), '{{}}'::jsonb) AS mcp_servers
        FROM chain
    )"""


_MERGED: Final = text(f"""
    WITH RECURSIVE {merged_harness("CAST(:harness_id AS uuid)")}
    SELECT coalesce(system_prompt, '') AS system_prompt, default_model_id, network_access,
        parallel_tool_calls, capabilities, tools, initial_files, mcp_servers
    FROM harness
""")


def of_harness(tx: Tx, organization_id: UUID, harness_id: UUID) -> MergedHarness:
    """The harness with what it inherits; of one that does not exist, nothing."""
    row = tx.execute(_MERGED, {"harness_id": harness_id, "organization_id": organization_id}).one()
    return MergedHarness(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
