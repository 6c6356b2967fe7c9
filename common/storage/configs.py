"""The configuration a session's turns run on: looked up, and pinned by hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.errors import InvalidId
from common.domain.ids import Kind, parse_id
from common.storage.engine import Tx


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """The rows a configuration is resolved from, of one session."""

    harness_id: UUID
    harness_prompt: str
    harness_capabilities: list[dict[str, Any]]
    agent_id: UUID | None
    agent_version: int | None
    agent_prompt: str | None
    agent_capabilities: list[dict[str, Any]]
    session_prompt: str | None
    session_capabilities: list[dict[str, Any]]
    model_ref: str | None
    max_iterations: int | None
    parallel_tool_calls: bool | None


@dataclass(frozen=True, slots=True)
class Model:
    """A model that may be used."""

    id: UUID
    name: str
    provider_type: str
    settings: dict[str, Any]


_RESOLVE: Final = text("""
    SELECT
        h.id AS harness_id, h.system_prompt AS harness_prompt,
        h.capabilities AS harness_capabilities,
        a.id AS agent_id, a.version AS agent_version, a.system_prompt AS agent_prompt,
        coalesce(a.capabilities, '[]'::jsonb) AS agent_capabilities,
        s.system_prompt AS session_prompt, s.capabilities AS session_capabilities,
        coalesce(s.model_id, a.default_model_id, CAST(h.default_model_id AS text)) AS model_ref,
        coalesce(s.max_iterations, a.max_iterations) AS max_iterations,
        coalesce(s.parallel_tool_calls, a.parallel_tool_calls) AS parallel_tool_calls
    FROM sessions s
    JOIN harnesses h ON h.id = s.harness_id
    LEFT JOIN agents a ON a.id = s.agent_id
    WHERE s.id = :session_id AND s.organization_id = :organization_id
""")

# A model is named by its row's id, by the provider's name for it, or by its provider's type.
_MODEL: Final = text("""
    SELECT id, model_id AS name, provider_type, settings FROM models
    WHERE (organization_id IS NULL OR organization_id = :organization_id) AND enabled
        AND (id = CAST(:id AS uuid) OR model_id = :ref OR provider_type = :ref)
    ORDER BY id = CAST(:id AS uuid) DESC NULLS LAST, model_id = :ref DESC,
        organization_id NULLS LAST, id
    LIMIT 1
""")

_KEEP: Final = text("""
    INSERT INTO turn_configs (organization_id, hash, config)
    VALUES (:organization_id, :hash, CAST(:config AS jsonb))
    ON CONFLICT DO NOTHING
""")

_LOAD: Final = text("""
    SELECT config FROM turn_configs WHERE organization_id = :organization_id AND hash = :hash
""")


def of_session(tx: Tx, organization_id: UUID, session_id: UUID) -> SessionConfiguration:
    """What the session, its agent and its harness say now."""
    row: Row[Any] = tx.execute(
        _RESOLVE, {"session_id": session_id, "organization_id": organization_id}
    ).one()
    return SessionConfiguration(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def find_model(tx: Tx, organization_id: UUID, ref: str) -> Model | None:
    """The enabled model that `ref` names, None when there is none."""
    try:
        row_id = str(parse_id(Kind.MODEL, ref))
    except InvalidId:
        row_id = None
    row = tx.execute(
        _MODEL, {"organization_id": organization_id, "id": row_id, "ref": ref}
    ).one_or_none()
    return None if row is None else Model(row.id, row.name, row.provider_type, row.settings)


def keep(tx: Tx, organization_id: UUID, config_hash: str, config: dict[str, Any]) -> None:
    """Store a resolved configuration under its hash, once."""
    tx.execute(
        _KEEP,
        {
            "organization_id": organization_id,
            "hash": config_hash,
            "config": orjson.dumps(config).decode(),
        },
    )


def load(tx: Tx, organization_id: UUID, config_hash: str) -> dict[str, Any]:
    """A configuration that was kept."""
    config: dict[str, Any] = tx.execute(
        _LOAD, {"organization_id": organization_id, "hash": config_hash}
    ).scalar_one()
    return config
