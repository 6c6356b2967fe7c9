"""What a turn begins with: its configuration and the newest of its conversation, in one read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common.storage import configs, transcript
from common.storage.configs import SessionConfiguration
from common.storage.engine import Tx
from common.storage.prepared import Prepared
from common.storage.transcript import Newest

# The configuration is a row beside the messages'.
_READ: Final = Prepared(
    "everturn_beginning",
    f"""
    {configs.GIVEN}
    SELECT NULL AS sequence, NULL AS type, NULL AS ts, NULL AS context, NULL AS data,
        NULL AS private, NULL AS bytes, to_jsonb(r) AS configuration
    FROM ({configs.RESOLVED}) r
    UNION ALL
    {transcript.NEWEST.format(more=", NULL", only="")}
    """,
    **configs.RESOLVED_TYPES | transcript.NEWEST_TYPES,
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a session, its agent and its harness say now, and what was said in it."""

    configuration: SessionConfiguration
    newest: Newest


def read(tx: Tx, organization_id: UUID, session_id: UUID, *, default_model: str) -> Beginning:
    """The beginning of a turn of a session whose head the caller holds.

    So nothing can be said between this and the turn's first events.
    """
    rows = _READ.on(
        tx,
        {
            "session_id": session_id,
            "organization_id": organization_id,
            "default_model": default_model,
            "limit": transcript.SLICE,
        },
    )
    (configuration,) = [row.configuration for row in rows if row.configuration is not None]
    messages = [row for row in rows if row.configuration is None]
    return Beginning(
        configs.configuration_of(configuration),
        transcript.newest_of(session_id, messages, limit=transcript.SLICE),
    )
