"""What an operator sees and does: workers, dead letters, why a turn lost its workers.

Safe with the running version: tables and a column that it does not name.  Appends to `turns`
wait while its two indexes are built, about a second a million turns.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE workers (
    id UUID NOT NULL,
    hostname TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    status TEXT NOT NULL,
    wanted TEXT DEFAULT 'active' NOT NULL,
    capacity INTEGER NOT NULL,
    load INTEGER NOT NULL,
    tasks_completed BIGINT NOT NULL,
    tasks_failed BIGINT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_heartbeat_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT workers_status CHECK (status IN ('active', 'draining', 'stopped')),
    CONSTRAINT workers_wanted CHECK (wanted IN ('active', 'draining'))
) WITH (fillfactor = 50);
ALTER TABLE turns ADD COLUMN losses JSONB DEFAULT '[]'::jsonb NOT NULL;
CREATE INDEX turns_of_organization ON turns (organization_id, id DESC);
CREATE INDEX turns_sealed ON turns (organization_id, ended_at DESC) WHERE status = 'sealed';
CREATE TABLE dead_letter_retries (
    turn_id UUID NOT NULL,
    retry_turn_id UUID NOT NULL,
    principal_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (turn_id),
    FOREIGN KEY(turn_id) REFERENCES turns (id) ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.execute(_CHANGES)
