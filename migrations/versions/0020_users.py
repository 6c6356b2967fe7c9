"""Users, their organizations and logins.

Safe with the running version: tables that it does not name.
"""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE users (
    id UUID NOT NULL,
    email TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    password_hash TEXT,
    is_operator BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE organization_members (
    organization_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, user_id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX organization_members_of_user ON organization_members (user_id);

CREATE TABLE logins (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    acts_in UUID,
    user_agent TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    refreshed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX logins_of_user ON logins (user_id);

CREATE TABLE refresh_tokens (
    digest TEXT NOT NULL,
    login_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (digest),
    FOREIGN KEY(login_id) REFERENCES logins (id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_of_login ON refresh_tokens (login_id);

CREATE TABLE invitations (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    digest TEXT NOT NULL,
    invited_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX invitations_digest ON invitations (digest);
CREATE INDEX invitations_of_organization ON invitations (organization_id);
"""


# As 0018 does it.
_SAID: Final = "coalesce(current_setting('everturn.organization', true), '')"
_IS_OWN: Final = f"{_SAID} = '' OR organization_id::text = {_SAID}"


def upgrade() -> None:
    op.execute(_CHANGES)
    for table in ("organization_members", "invitations"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({_IS_OWN})")
