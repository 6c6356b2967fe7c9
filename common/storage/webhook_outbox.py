"""The row that says that a webhook has to be told, written by the statement that gives cause."""

from __future__ import annotations

from typing import Final

# After `WITH changed AS (UPDATE turns … RETURNING id, session_id, organization_id, status,
# sequence)`: no statement of its own, so that turns nobody is told of cost no more.
TELL_WEBHOOKS: Final = """
    INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id, sequence)
    SELECT gen_random_uuid(), w.id, 'turn.' || c.status, c.id, c.session_id, c.sequence
    FROM changed c JOIN webhooks w ON w.organization_id = c.organization_id
        AND w.enabled AND w.events @> to_jsonb('turn.' || c.status)
"""
