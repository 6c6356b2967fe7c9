"""The configuration a session's turns run on: looked up, and pinned by hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from common.storage.engine import Tx
from common.storage.harness_chain import merged_harness
from common.storage.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Model:
    """A model that may be used; `profile` in the wire's form, None when the row has none."""

    id: UUID
    name: str
    provider_type: str
    settings: dict[str, Any]
    provider_id: UUID
    profile: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """The rows a configuration is resolved from, of one session.

    Attributes:
        model_ref: "" when nobody names a model.
        models: what `model_ref` and then each of `fallback_models` names, None for nothing.
    """

    harness_id: UUID
    harness_prompt: str
    harness_capabilities: list[dict[str, Any]]
    agent_id: UUID | None
    agent_version: int | None
    agent_prompt: str | None
    agent_capabilities: list[dict[str, Any]]
    session_prompt: str | None
    session_capabilities: list[dict[str, Any]]
    model_ref: str
    fallback_models: list[str]
    agent_tools: list[dict[str, Any]]
    session_tools: list[dict[str, Any]]
    mcp_servers: dict[str, Any]
    network_access: dict[str, Any] | None
    max_iterations: int | None
    parallel_tool_calls: bool | None
    models: list[Model | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """A resolved configuration as it is stored: under its hash, once."""

    organization_id: UUID
    hash: str
    config: dict[str, Any]


# The models that references name, as JSON in their order, null for none.  A model is named by its
# row's id in any spelling (`common.domain.ids`), by the provider's name for it, or by its
# provider's type.  The organization's own come before built-in ones, also when all of them are
# disabled.
_MODELS: Final = r"""
    SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY r.place), '[]') FROM (
        SELECT ref, place, CASE WHEN ref ~* '^\s*(model_)?[0-9a-f-]{{32,36}}\s*$' THEN CAST(
            substring(replace(lower(ref), '-', '') FROM '^\s*(?:model_)?([0-9a-f]{{32}})\s*$')
            AS uuid) END AS id
        FROM {refs} WITH ORDINALITY AS n (ref, place)
    ) r
    LEFT JOIN LATERAL (
        SELECT m.id, m.model_id AS name, p.provider_type, m.settings, p.id AS provider_id,
            m.profile, m.enabled AND p.status = 'active' AS is_usable
        FROM models m JOIN providers p ON p.id = m.provider_id
        WHERE r.ref <> '' AND (m.organization_id IS NULL OR m.organization_id = :organization_id)
            AND (p.organization_id IS NULL OR p.organization_id = :organization_id)
            AND (m.id = r.id OR m.model_id = r.ref OR m.provider_type = r.ref)
        ORDER BY m.id = r.id DESC NULLS LAST, m.model_id = r.ref DESC,
            m.organization_id NULLS LAST, is_usable DESC, m.stale_since NULLS FIRST, m.id
        LIMIT 1
    ) c ON true
"""

# The session's, then its agent's fallbacks.
_REFS: Final = "jsonb_array_elements_text(jsonb_build_array(g.model_ref) || g.fallback_models)"

_OURS: Final = "s.id = :session_id AND s.organization_id = :organization_id"
# What the session, its agent and its harness say now: `given`.  Of an agent with a default
# version, `c` is the agent as that version has it.
GIVEN: Final = f"""
    WITH RECURSIVE {merged_harness(f"(SELECT s.harness_id FROM sessions s WHERE {_OURS})")},
    given AS (SELECT
        h.id AS harness_id, coalesce(h.system_prompt, '') AS harness_prompt,
        h.capabilities AS harness_capabilities,
        a.id AS agent_id, coalesce(v.version_number, a.version) AS agent_version,
        c.system_prompt AS agent_prompt,
        coalesce(c.capabilities, '[]'::jsonb) AS agent_capabilities,
        s.system_prompt AS session_prompt, s.capabilities AS session_capabilities,
        coalesce(nullif(coalesce(s.model_id, c.default_model_id, h.default_model_id,
            o.default_model_id), ''), :default_model) AS model_ref,
        coalesce(c.fallback_models, '[]'::jsonb) AS fallback_models,
        h.tools || coalesce(c.tools, '[]'::jsonb) AS agent_tools, s.tools AS session_tools,
        h.mcp_servers || coalesce(c.mcp_servers, '{{}}'::jsonb) || s.mcp_servers AS mcp_servers,
        coalesce(s.network_access, c.network_access, h.network_access) AS network_access,
        coalesce(s.max_iterations, c.max_iterations) AS max_iterations,
        coalesce(s.parallel_tool_calls, c.parallel_tool_calls, h.parallel_tool_calls)
            AS parallel_tool_calls
    FROM sessions s
    JOIN organizations o ON o.id = s.organization_id
    JOIN harness h ON h.id = s.harness_id
    LEFT JOIN agents a ON a.id = s.agent_id AND a.organization_id = s.organization_id
    LEFT JOIN agent_versions v ON v.id = a.default_version_id AND v.agent_id = a.id
    LEFT JOIN LATERAL jsonb_populate_record(a, v.authored_config) c ON true
    WHERE {_OURS})
"""
RESOLVED: Final = f"SELECT g.*, ({_MODELS.format(refs=_REFS)}) AS models FROM given g"
RESOLVED_TYPES: Final = {"session_id": "uuid", "organization_id": "uuid", "default_model": "text"}

_FIND: Final = Prepared(
    "everturn_find_models",
    f"SELECT ({_MODELS.format(refs='unnest(:refs)')}) AS models",
    organization_id="uuid",
    refs="text[]",
)

# Alone, or with what names it: see `common.storage.log_statements`.
KEPT: Final = """
    INSERT INTO turn_configs (organization_id, hash, config)
    VALUES (:organization_id, :hash, :config)
    ON CONFLICT DO NOTHING
"""
KEPT_TYPES: Final = {"organization_id": "uuid", "hash": "text", "config": "jsonb"}

_KEEP: Final = Prepared("everturn_keep_turn_configs", KEPT, **KEPT_TYPES)

_LOAD: Final = text("""
    SELECT config FROM turn_configs WHERE organization_id = :organization_id AND hash = :hash
""")


def configuration_of(found: dict[str, Any]) -> SessionConfiguration:
    """A row of `RESOLVED` as JSON."""
    agent_id = found["agent_id"]
    ids = {
        "harness_id": UUID(found["harness_id"]),
        "agent_id": None if agent_id is None else UUID(agent_id),
    }
    return SessionConfiguration(**{**found, **ids, "models": list(map(_model, found["models"]))})


def find_models(tx: Tx, organization_id: UUID, refs: Sequence[str]) -> list[Model | None]:
    """For each reference the model that it names; None when there is none to be used."""
    (found,) = _FIND.on(tx, {"organization_id": organization_id, "refs": list(refs)})
    return list(map(_model, found.models))


def _model(found: dict[str, Any] | None) -> Model | None:
    if found is None or not found["is_usable"]:
        return None
    return Model(
        UUID(found["id"]),
        found["name"],
        found["provider_type"],
        found["settings"],
        UUID(found["provider_id"]),
        found["profile"],
    )


def keep(tx: Tx, kept: Kept) -> None:
    """Store a resolved configuration under its hash, once."""
    _KEEP.on(tx, kept_values(kept))


def kept_values(kept: Kept) -> dict[str, object]:
    """For a statement that has `KEPT` in it."""
    return {
        "organization_id": kept.organization_id,
        "hash": kept.hash,
        "config": orjson.dumps(kept.config).decode(),
    }


def load(tx: Tx, organization_id: UUID, config_hash: str) -> dict[str, Any]:
    """A configuration that was kept."""
    config: dict[str, Any] = tx.execute(
        _LOAD, {"organization_id": organization_id, "hash": config_hash}
    ).scalar_one()
    return config
