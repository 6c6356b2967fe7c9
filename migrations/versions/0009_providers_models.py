"""Providers, what is known of their models, and models to fall back to.

Safe with the running version: a new table, and columns it does not name, nullable or with
constant defaults.  The models that are added are of provider types it has no driver for, which
it says when one is chosen.  The locked tables have few rows.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE providers (
    id UUID NOT NULL,
    organization_id UUID,
    name TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    base_url TEXT,
    api_key JSONB,
    settings JSONB DEFAULT '{}'::jsonb NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    last_synced_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT providers_status CHECK (status IN ('active', 'disabled')),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX providers_name ON providers (organization_id, lower(name));
ALTER TABLE models ADD COLUMN provider_id UUID;
ALTER TABLE models ADD COLUMN is_favorite BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE models ADD COLUMN source TEXT DEFAULT 'manual' NOT NULL;
ALTER TABLE models ADD COLUMN stale_since TIMESTAMP WITH TIME ZONE;
ALTER TABLE models ADD COLUMN profile JSONB;
ALTER TABLE models ADD COLUMN capabilities JSONB DEFAULT '["chat"]'::jsonb NOT NULL;
ALTER TABLE models ADD CONSTRAINT models_source
    CHECK (source IN ('manual', 'discovered', 'predefined'));
ALTER TABLE models ADD FOREIGN KEY (provider_id) REFERENCES providers (id) ON DELETE CASCADE;
CREATE UNIQUE INDEX models_of_provider ON models (provider_id, model_id);
CREATE INDEX models_of_organization ON models (organization_id);
CREATE INDEX models_by_name ON models (model_id);
CREATE INDEX models_by_type ON models (provider_type);
ALTER TABLE organizations ADD COLUMN default_model_id TEXT;
ALTER TABLE agents ADD COLUMN fallback_models JSONB DEFAULT '[]'::jsonb NOT NULL;
"""

# Their keys come from the environment.
_ROWS = """
INSERT INTO providers (id, name, provider_type) VALUES
    ('01933b5a-0000-7000-8000-000000000001', 'OpenAI', 'openai'),
    ('01933b5a-0000-7000-8000-000000000002', 'Anthropic', 'anthropic'),
    ('01933b5a-0000-7000-8000-000000000003', 'Simulated', 'llmsim');
UPDATE models SET provider_id = '01933b5a-0000-7000-8000-000000000003', source = 'predefined'
WHERE id = '01933b5a-0000-7000-8000-000000000400';
INSERT INTO models (id, provider_id, provider_type, model_id, display_name, source) VALUES
    ('01933b5a-0000-7000-8000-000000000201', '01933b5a-0000-7000-8000-000000000001',
     'openai', 'gpt-6.2-sol', 'GPT-6.2 Sol', 'predefined'),
    ('01933b5a-0000-7000-8000-000000000202', '01933b5a-0000-7000-8000-000000000001',
     'openai', 'gpt-6.2-astra', 'GPT-6.2 Astra', 'predefined'),
    ('01933b5a-0000-7000-8000-000000000203', '01933b5a-0000-7000-8000-000000000001',
     'openai', 'gpt-6-luna', 'GPT-6 Luna', 'predefined'),
    ('01933b5a-0000-7000-8000-000000000204', '01933b5a-0000-7000-8000-000000000001',
     'openai', 'gpt-4.1', 'GPT-4.1', 'predefined'),
    ('01933b5a-0000-7000-8000-000000000301', '01933b5a-0000-7000-8000-000000000002',
     'anthropic', 'claude-sonnet-5-5', 'Claude Sonnet 5.5', 'predefined'),
    ('01933b5a-0000-7000-8000-000000000302', '01933b5a-0000-7000-8000-000000000002',
     'anthropic', 'claude-opus-5-5', 'Claude Opus 5.5', 'predefined'),
    ('01933b5a-0000-7000-8000-000000000303', '01933b5a-0000-7000-8000-000000000002',
     'anthropic', 'claude-haiku-5-5', 'Claude Haiku 5.5', 'predefined'),
    ('01933b5a-0000-7000-8000-000000000304', '01933b5a-0000-7000-8000-000000000002',
     'anthropic', 'claude-haiku-4-5', 'Claude Haiku 4.5', 'predefined');
"""


def upgrade() -> None:
    op.execute(_CHANGES)
    op.execute(_ROWS)
