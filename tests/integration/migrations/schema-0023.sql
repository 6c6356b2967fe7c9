-- What revision 0023 makes, built-in rows included: the start of an upgrade test.
-- Taken with pg_dump --inserts; settings of the session are left out.

CREATE FUNCTION public.audit_log_only_grows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    kept_days INTEGER := nullif(current_setting('everturn.audit_kept_days', true), '');
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF kept_days >= 1 AND OLD.at < clock_timestamp() - make_interval(days => kept_days) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log only grows';
END $$;

CREATE FUNCTION public.events_never_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'events never change';
END $$;

CREATE TABLE public.agent_versions (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    version_number integer NOT NULL,
    semver_major integer NOT NULL,
    semver_minor integer NOT NULL,
    semver_patch integer NOT NULL,
    change_kind text NOT NULL,
    summary text,
    config_hash text NOT NULL,
    authored_config jsonb NOT NULL,
    resolved_config jsonb NOT NULL,
    source_version_id uuid,
    created_by_principal_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT agent_versions_change_kind CHECK ((change_kind = ANY (ARRAY['auto'::text, 'manual'::text, 'patch'::text, 'minor'::text, 'major'::text, 'import'::text, 'rollback'::text, 'fork'::text])))
);

ALTER TABLE ONLY public.agent_versions FORCE ROW LEVEL SECURITY;

CREATE TABLE public.agents (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    display_name text,
    description text,
    system_prompt text NOT NULL,
    harness_id uuid NOT NULL,
    default_model_id text,
    status text DEFAULT 'active'::text NOT NULL,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    capabilities jsonb DEFAULT '[]'::jsonb NOT NULL,
    tools jsonb DEFAULT '[]'::jsonb NOT NULL,
    initial_files jsonb DEFAULT '[]'::jsonb NOT NULL,
    mcp_servers jsonb DEFAULT '{}'::jsonb NOT NULL,
    network_access jsonb,
    max_iterations integer,
    parallel_tool_calls boolean,
    root_agent_id uuid,
    forked_from_agent_id uuid,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    archived_at timestamp with time zone,
    deleted_at timestamp with time zone,
    fallback_models jsonb DEFAULT '[]'::jsonb NOT NULL,
    default_version_id uuid,
    forked_from_version_id uuid,
    CONSTRAINT agents_status CHECK ((status = ANY (ARRAY['active'::text, 'archived'::text, 'deleted'::text])))
);

ALTER TABLE ONLY public.agents FORCE ROW LEVEL SECURITY;

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    agent_id uuid,
    name text NOT NULL,
    digest text NOT NULL,
    prefix text NOT NULL,
    scopes jsonb DEFAULT '["*"]'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_of_agents CHECK (((agent_id IS NULL) OR (scopes = '["channels:use"]'::jsonb)))
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE public.audit_log (
    id uuid NOT NULL,
    organization_id uuid,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor_type text NOT NULL,
    actor_id text,
    on_behalf_of text,
    action text NOT NULL,
    outcome text NOT NULL,
    method text,
    route text,
    status integer,
    resources jsonb DEFAULT '[]'::jsonb NOT NULL,
    request_id text,
    address text,
    count integer DEFAULT 1 NOT NULL,
    CONSTRAINT audit_log_outcome CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.audit_log FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dead_letter_retries (
    turn_id uuid NOT NULL,
    retry_turn_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.events (
    session_id uuid NOT NULL,
    sequence integer NOT NULL,
    type text NOT NULL,
    ts timestamp with time zone DEFAULT now() NOT NULL,
    context jsonb NOT NULL,
    data jsonb NOT NULL,
    private jsonb
);

CREATE TABLE public.harnesses (
    id uuid NOT NULL,
    organization_id uuid,
    name text NOT NULL,
    display_name text,
    description text,
    system_prompt text DEFAULT ''::text NOT NULL,
    capabilities jsonb DEFAULT '[]'::jsonb NOT NULL,
    default_model_id text,
    status text DEFAULT 'active'::text NOT NULL,
    is_built_in boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    slug text,
    parent_harness_id uuid,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    tools jsonb DEFAULT '[]'::jsonb NOT NULL,
    initial_files jsonb DEFAULT '[]'::jsonb NOT NULL,
    mcp_servers jsonb DEFAULT '{}'::jsonb NOT NULL,
    network_access jsonb,
    parallel_tool_calls boolean,
    embedder_metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    archived_at timestamp with time zone,
    deleted_at timestamp with time zone
);

ALTER TABLE ONLY public.harnesses FORCE ROW LEVEL SECURITY;

CREATE TABLE public.idempotency_keys (
    organization_id uuid NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    scope text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    resource_id text,
    status_code smallint,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.idempotency_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE public.image_blobs (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    digest text NOT NULL,
    size_bytes bigint NOT NULL,
    media_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    thumbnail_type text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.image_blobs FORCE ROW LEVEL SECURITY;

CREATE TABLE public.images (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    blob_id uuid NOT NULL,
    session_id uuid,
    owner_principal_id uuid NOT NULL,
    filename text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.images FORCE ROW LEVEL SECURITY;

CREATE TABLE public.invitations (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    digest text NOT NULL,
    invited_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone
);

ALTER TABLE ONLY public.invitations FORCE ROW LEVEL SECURITY;

CREATE TABLE public.logins (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    acts_in uuid,
    user_agent text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone
);

CREATE TABLE public.mcp_servers (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    url text NOT NULL,
    transport_type text DEFAULT 'http'::text NOT NULL,
    auth_mode text DEFAULT 'none'::text NOT NULL,
    protocol_mode text DEFAULT 'auto'::text NOT NULL,
    timeout_seconds double precision DEFAULT 60 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    header_names jsonb DEFAULT '[]'::jsonb NOT NULL,
    headers jsonb,
    api_key jsonb,
    tools jsonb,
    tools_fetched_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    archived_at timestamp with time zone,
    deleted_at timestamp with time zone,
    CONSTRAINT mcp_servers_status CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text, 'archived'::text, 'deleted'::text])))
);

ALTER TABLE ONLY public.mcp_servers FORCE ROW LEVEL SECURITY;

CREATE TABLE public.models (
    id uuid NOT NULL,
    organization_id uuid,
    model_id text NOT NULL,
    display_name text NOT NULL,
    provider_type text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    provider_id uuid,
    is_favorite boolean DEFAULT false NOT NULL,
    source text DEFAULT 'manual'::text NOT NULL,
    stale_since timestamp with time zone,
    profile jsonb,
    capabilities jsonb DEFAULT '["chat"]'::jsonb NOT NULL,
    CONSTRAINT models_source CHECK ((source = ANY (ARRAY['manual'::text, 'discovered'::text, 'predefined'::text])))
);

ALTER TABLE ONLY public.models FORCE ROW LEVEL SECURITY;

CREATE TABLE public.organization_members (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.organization_members FORCE ROW LEVEL SECURITY;

CREATE TABLE public.organizations (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    default_model_id text
);

CREATE TABLE public.providers (
    id uuid NOT NULL,
    organization_id uuid,
    name text NOT NULL,
    provider_type text NOT NULL,
    base_url text,
    api_key jsonb,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    last_synced_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT providers_status CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text])))
);

ALTER TABLE ONLY public.providers FORCE ROW LEVEL SECURITY;

CREATE TABLE public.refresh_tokens (
    digest text NOT NULL,
    login_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    used_at timestamp with time zone
);

CREATE TABLE public.session_heads (
    session_id uuid NOT NULL,
    status text DEFAULT 'started'::text NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    last_sequence integer DEFAULT 0 NOT NULL,
    last_input_sequence integer DEFAULT 0 NOT NULL,
    last_ts timestamp with time zone DEFAULT date_trunc('milliseconds'::text, now()) NOT NULL,
    open_turn_id uuid,
    message_count integer DEFAULT 0 NOT NULL,
    input_tokens bigint DEFAULT 0 NOT NULL,
    output_tokens bigint DEFAULT 0 NOT NULL,
    started_at timestamp with time zone,
    cache_read_tokens bigint DEFAULT 0 NOT NULL,
    cache_creation_tokens bigint DEFAULT 0 NOT NULL,
    compacted_sequence integer DEFAULT 0 NOT NULL,
    CONSTRAINT session_heads_status CHECK ((status = ANY (ARRAY['started'::text, 'active'::text, 'idle'::text, 'waitingfortoolresults'::text])))
)
WITH (fillfactor='50');

CREATE TABLE public.session_pins (
    session_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.session_secrets (
    organization_id uuid NOT NULL,
    session_id uuid NOT NULL,
    name text NOT NULL,
    secret jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.session_secrets FORCE ROW LEVEL SECURITY;

CREATE TABLE public.session_values (
    organization_id uuid NOT NULL,
    session_id uuid NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.session_values FORCE ROW LEVEL SECURITY;

CREATE TABLE public.sessions (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    agent_id uuid,
    harness_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    owner_principal_id uuid NOT NULL,
    title text,
    locale text,
    model_id text,
    system_prompt text,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    capabilities jsonb DEFAULT '[]'::jsonb NOT NULL,
    tools jsonb DEFAULT '[]'::jsonb NOT NULL,
    initial_files jsonb DEFAULT '[]'::jsonb NOT NULL,
    mcp_servers jsonb DEFAULT '{}'::jsonb NOT NULL,
    hints jsonb,
    network_access jsonb,
    max_iterations integer,
    parallel_tool_calls boolean,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    tool_decisions jsonb DEFAULT '{}'::jsonb NOT NULL,
    parent_session_id uuid,
    forked_from_session_id uuid,
    forked_from_sequence integer,
    is_chat boolean DEFAULT false NOT NULL
);

ALTER TABLE ONLY public.sessions FORCE ROW LEVEL SECURITY;

CREATE TABLE public.turn_configs (
    organization_id uuid NOT NULL,
    hash text NOT NULL,
    config jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.turn_configs FORCE ROW LEVEL SECURITY;

CREATE TABLE public.turns (
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    input_sequence integer NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    reclaims integer DEFAULT 0 NOT NULL,
    handed_over boolean DEFAULT false NOT NULL,
    sends integer DEFAULT 0 NOT NULL,
    available_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    waiting_sequence integer,
    waiting_until timestamp with time zone,
    losses jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT turns_status CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'sealed'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.turns FORCE ROW LEVEL SECURITY;

CREATE TABLE public.users (
    id uuid NOT NULL,
    email text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    password_hash text,
    is_operator boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp with time zone
);

CREATE TABLE public.webhook_deliveries (
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event text NOT NULL,
    turn_id uuid NOT NULL,
    session_id uuid NOT NULL,
    sequence integer NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    available_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    last_status integer,
    last_error text,
    told json,
    CONSTRAINT webhook_deliveries_status CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text])))
)
WITH (fillfactor='70');

CREATE TABLE public.webhooks (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    url text NOT NULL,
    description text,
    events jsonb DEFAULT '[]'::jsonb NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    secret jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    gone_at timestamp with time zone
);

ALTER TABLE ONLY public.webhooks FORCE ROW LEVEL SECURITY;

CREATE TABLE public.workers (
    id uuid NOT NULL,
    hostname text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    status text NOT NULL,
    wanted text DEFAULT 'active'::text NOT NULL,
    capacity integer NOT NULL,
    load integer NOT NULL,
    tasks_completed bigint NOT NULL,
    tasks_failed bigint NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    last_heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT workers_status CHECK ((status = ANY (ARRAY['active'::text, 'draining'::text, 'stopped'::text]))),
    CONSTRAINT workers_wanted CHECK ((wanted = ANY (ARRAY['active'::text, 'draining'::text])))
)
WITH (fillfactor='50');

CREATE TABLE public.workspace_files (
    organization_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    parent text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    is_directory boolean DEFAULT false NOT NULL,
    is_readonly boolean DEFAULT false NOT NULL,
    content bytea,
    size_bytes integer DEFAULT 0 NOT NULL,
    content_hash text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.workspace_files FORCE ROW LEVEL SECURITY;

CREATE TABLE public.workspace_usage (
    workspace_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    files integer DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.workspace_usage FORCE ROW LEVEL SECURITY;

CREATE TABLE public.workspaces (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    status text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    archived_at timestamp with time zone,
    deleted_at timestamp with time zone,
    CONSTRAINT workspaces_status CHECK ((status = ANY (ARRAY['active'::text, 'archived'::text, 'deleted'::text])))
);

ALTER TABLE ONLY public.workspaces FORCE ROW LEVEL SECURITY;

INSERT INTO public.alembic_version VALUES ('0023');

INSERT INTO public.harnesses VALUES ('01933b5a-0000-7000-8000-000000000300', NULL, 'base', 'Base', 'No prompt and no capabilities of its own', '', '[]', NULL, 'active', true, '2026-11-28 08:48:26.504476+00', '2026-11-28 08:48:26.504476+00', 'base', NULL, '[]', '[]', '[]', '{}', NULL, NULL, '{}', NULL, NULL);
INSERT INTO public.harnesses VALUES ('01933b5a-0000-7000-8000-000000000301', NULL, 'generic', 'Generic', 'For agents and sessions that name no harness', 'You are a helpful assistant.', '[{"ref": "current_time", "config": {}}, {"ref": "session_file_system", "config": {}}]', NULL, 'active', true, '2026-11-28 08:48:26.504476+00', '2026-11-28 08:48:26.593026+00', 'generic', NULL, '[]', '[]', '[]', '{}', NULL, NULL, '{}', NULL, NULL);

INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000400', NULL, 'llmsim-model', 'Simulated model', 'llmsim', true, '{}', '2026-11-28 08:48:26.504476+00', '2026-11-28 08:48:26.504476+00', '01933b5a-0000-7000-8000-000000000003', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000201', NULL, 'gpt-6.2-sol', 'GPT-6.2 Sol', 'openai', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000001', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000202', NULL, 'gpt-6.2-astra', 'GPT-6.2 Astra', 'openai', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000001', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000203', NULL, 'gpt-6-luna', 'GPT-6 Luna', 'openai', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000001', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000204', NULL, 'gpt-4.1', 'GPT-4.1', 'openai', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000001', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000301', NULL, 'claude-sonnet-5-5', 'Claude Sonnet 5.5', 'anthropic', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000002', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000302', NULL, 'claude-opus-5-5', 'Claude Opus 5.5', 'anthropic', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000002', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000303', NULL, 'claude-haiku-5-5', 'Claude Haiku 5.5', 'anthropic', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000002', false, 'predefined', NULL, NULL, '["chat"]');
INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000304', NULL, 'claude-haiku-4-5', 'Claude Haiku 4.5', 'anthropic', true, '{}', '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00', '01933b5a-0000-7000-8000-000000000002', false, 'predefined', NULL, NULL, '["chat"]');

INSERT INTO public.organizations VALUES ('00000000-0000-0000-0000-000000000001', 'Default', '2026-11-28 08:48:26.504476+00', '2026-11-28 08:48:26.504476+00', NULL);

INSERT INTO public.providers VALUES ('01933b5a-0000-7000-8000-000000000001', NULL, 'OpenAI', 'openai', NULL, NULL, '{}', 'active', NULL, '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00');
INSERT INTO public.providers VALUES ('01933b5a-0000-7000-8000-000000000002', NULL, 'Anthropic', 'anthropic', NULL, NULL, '{}', 'active', NULL, '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00');
INSERT INTO public.providers VALUES ('01933b5a-0000-7000-8000-000000000003', NULL, 'Simulated', 'llmsim', NULL, NULL, '{}', 'active', NULL, '2026-11-28 08:48:26.544472+00', '2026-11-28 08:48:26.544472+00');

ALTER TABLE ONLY public.agent_versions
    ADD CONSTRAINT agent_versions_number UNIQUE (agent_id, version_number);

ALTER TABLE ONLY public.agent_versions
    ADD CONSTRAINT agent_versions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.dead_letter_retries
    ADD CONSTRAINT dead_letter_retries_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (session_id, sequence);

ALTER TABLE ONLY public.harnesses
    ADD CONSTRAINT harnesses_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (organization_id, method, route, scope, key);

ALTER TABLE ONLY public.image_blobs
    ADD CONSTRAINT image_blobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.logins
    ADD CONSTRAINT logins_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mcp_servers
    ADD CONSTRAINT mcp_servers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organization_members
    ADD CONSTRAINT organization_members_pkey PRIMARY KEY (organization_id, user_id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.providers
    ADD CONSTRAINT providers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.session_heads
    ADD CONSTRAINT session_heads_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.session_pins
    ADD CONSTRAINT session_pins_pkey PRIMARY KEY (session_id, principal_id);

ALTER TABLE ONLY public.session_secrets
    ADD CONSTRAINT session_secrets_pkey PRIMARY KEY (session_id, name);

ALTER TABLE ONLY public.session_values
    ADD CONSTRAINT session_values_pkey PRIMARY KEY (session_id, key);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.turn_configs
    ADD CONSTRAINT turn_configs_pkey PRIMARY KEY (organization_id, hash);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.workspace_files
    ADD CONSTRAINT workspace_files_pkey PRIMARY KEY (workspace_id, path);

ALTER TABLE ONLY public.workspace_usage
    ADD CONSTRAINT workspace_usage_pkey PRIMARY KEY (workspace_id);

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);

CREATE INDEX agents_newest ON public.agents USING btree (organization_id, created_at DESC, id DESC);

CREATE UNIQUE INDEX agents_slug ON public.agents USING btree (organization_id, slug) WHERE (status <> 'deleted'::text);

CREATE UNIQUE INDEX api_keys_digest ON public.api_keys USING btree (digest);

CREATE INDEX api_keys_of_principal ON public.api_keys USING btree (organization_id, principal_id) WHERE (revoked_at IS NULL);

CREATE INDEX audit_log_at ON public.audit_log USING btree (at);

CREATE INDEX audit_log_of_organization ON public.audit_log USING btree (organization_id, at DESC, id DESC);

CREATE INDEX events_messages ON public.events USING btree (session_id, sequence) WHERE (type = ANY (ARRAY['input.message'::text, 'output.message.completed'::text, 'tool.completed'::text]));

CREATE UNIQUE INDEX harnesses_slug ON public.harnesses USING btree (organization_id, slug) WHERE (status <> 'deleted'::text);

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

CREATE UNIQUE INDEX image_blobs_digest ON public.image_blobs USING btree (organization_id, digest);

CREATE INDEX images_newest ON public.images USING btree (organization_id, created_at DESC, id DESC);

CREATE INDEX images_of_blob ON public.images USING btree (blob_id);

CREATE INDEX images_of_session ON public.images USING btree (session_id);

CREATE UNIQUE INDEX invitations_digest ON public.invitations USING btree (digest);

CREATE INDEX invitations_of_organization ON public.invitations USING btree (organization_id);

CREATE INDEX logins_of_user ON public.logins USING btree (user_id);

CREATE INDEX mcp_servers_newest ON public.mcp_servers USING btree (organization_id, created_at DESC, id DESC);

CREATE UNIQUE INDEX mcp_servers_slug ON public.mcp_servers USING btree (organization_id, slug) WHERE (status <> 'deleted'::text);

CREATE INDEX models_by_name ON public.models USING btree (model_id);

CREATE INDEX models_by_type ON public.models USING btree (provider_type);

CREATE INDEX models_of_organization ON public.models USING btree (organization_id);

CREATE UNIQUE INDEX models_of_provider ON public.models USING btree (provider_id, model_id);

CREATE INDEX organization_members_of_user ON public.organization_members USING btree (user_id);

CREATE UNIQUE INDEX providers_name ON public.providers USING btree (organization_id, lower(name));

CREATE INDEX refresh_tokens_of_login ON public.refresh_tokens USING btree (login_id);

CREATE INDEX session_heads_busy ON public.session_heads USING btree (session_id) WHERE (status = ANY (ARRAY['active'::text, 'waitingfortoolresults'::text]));

CREATE UNIQUE INDEX sessions_chat ON public.sessions USING btree (organization_id, owner_principal_id) WHERE (is_chat AND (deleted_at IS NULL));

CREATE INDEX sessions_deleted ON public.sessions USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX sessions_newest ON public.sessions USING btree (organization_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX sessions_of_agent ON public.sessions USING btree (agent_id, created_at DESC) WHERE (deleted_at IS NULL);

CREATE INDEX sessions_of_harness ON public.sessions USING btree (organization_id, harness_id) WHERE (deleted_at IS NULL);

CREATE INDEX sessions_of_workspace ON public.sessions USING btree (workspace_id) WHERE (deleted_at IS NULL);

CREATE INDEX turns_fair ON public.turns USING btree (organization_id, created_at) WHERE (status = 'queued'::text);

CREATE INDEX turns_newest ON public.turns USING btree (session_id, input_sequence DESC);

CREATE INDEX turns_of_organization ON public.turns USING btree (organization_id, id DESC);

CREATE UNIQUE INDEX turns_open ON public.turns USING btree (session_id) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text]));

CREATE INDEX turns_queued ON public.turns USING btree (available_at) WHERE (status = 'queued'::text);

CREATE INDEX turns_running ON public.turns USING btree (lease_until) WHERE (status = 'running'::text);

CREATE INDEX turns_sealed ON public.turns USING btree (organization_id, ended_at DESC) WHERE (status = 'sealed'::text);

CREATE INDEX turns_waiting ON public.turns USING btree (waiting_until) WHERE (status = 'waiting'::text);

CREATE UNIQUE INDEX users_email ON public.users USING btree (email);

CREATE INDEX webhook_deliveries_due_of_webhook ON public.webhook_deliveries USING btree (webhook_id, available_at) WHERE (status = 'pending'::text);

CREATE INDEX webhook_deliveries_ended ON public.webhook_deliveries USING btree (ended_at) WHERE (status <> 'pending'::text);

CREATE INDEX webhook_deliveries_of_webhook ON public.webhook_deliveries USING btree (webhook_id, created_at DESC, id DESC);

CREATE INDEX webhooks_of_organization ON public.webhooks USING btree (organization_id, id);

CREATE INDEX workspace_files_children ON public.workspace_files USING btree (workspace_id, parent, path);

CREATE INDEX workspaces_deleted ON public.workspaces USING btree (deleted_at) WHERE (status = 'deleted'::text);

CREATE UNIQUE INDEX workspaces_name ON public.workspaces USING btree (organization_id, name) WHERE (status <> 'deleted'::text);

CREATE TRIGGER audit_log_is_never_emptied BEFORE TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION public.audit_log_only_grows();

CREATE TRIGGER audit_log_only_grows BEFORE DELETE OR UPDATE ON public.audit_log FOR EACH ROW EXECUTE FUNCTION public.audit_log_only_grows();

CREATE TRIGGER events_never_change BEFORE UPDATE ON public.events FOR EACH ROW EXECUTE FUNCTION public.events_never_change();

ALTER TABLE ONLY public.agent_versions
    ADD CONSTRAINT agent_versions_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agents(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.agent_versions
    ADD CONSTRAINT agent_versions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_harness_id_fkey FOREIGN KEY (harness_id) REFERENCES public.harnesses(id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agents(id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.dead_letter_retries
    ADD CONSTRAINT dead_letter_retries_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.harnesses
    ADD CONSTRAINT harnesses_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.harnesses
    ADD CONSTRAINT harnesses_parent_harness_id_fkey FOREIGN KEY (parent_harness_id) REFERENCES public.harnesses(id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.image_blobs
    ADD CONSTRAINT image_blobs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_blob_id_fkey FOREIGN KEY (blob_id) REFERENCES public.image_blobs(id);

ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.logins
    ADD CONSTRAINT logins_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mcp_servers
    ADD CONSTRAINT mcp_servers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.providers(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.organization_members
    ADD CONSTRAINT organization_members_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.organization_members
    ADD CONSTRAINT organization_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.providers
    ADD CONSTRAINT providers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.logins(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.session_heads
    ADD CONSTRAINT session_heads_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.session_pins
    ADD CONSTRAINT session_pins_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.session_secrets
    ADD CONSTRAINT session_secrets_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.session_secrets
    ADD CONSTRAINT session_secrets_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.session_values
    ADD CONSTRAINT session_values_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.session_values
    ADD CONSTRAINT session_values_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agents(id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_harness_id_fkey FOREIGN KEY (harness_id) REFERENCES public.harnesses(id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.turn_configs
    ADD CONSTRAINT turn_configs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.workspace_files
    ADD CONSTRAINT workspace_files_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.workspace_usage
    ADD CONSTRAINT workspace_usage_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE public.agent_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.agents ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.harnesses ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.idempotency_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.image_blobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.images ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mcp_servers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.models ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organization_members ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON public.agent_versions USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.agents USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.api_keys USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.audit_log USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.harnesses USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.idempotency_keys USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.image_blobs USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.images USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.invitations USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.mcp_servers USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.models USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.organization_members USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.providers USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.session_secrets USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.session_values USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.sessions USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.turn_configs USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.turns USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.webhooks USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.workspace_files USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.workspace_usage USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

CREATE POLICY own_rows ON public.workspaces USING (((COALESCE(current_setting('everturn.organization'::text, true), ''::text) = ''::text) OR ((organization_id)::text = COALESCE(current_setting('everturn.organization'::text, true), ''::text))));

ALTER TABLE public.providers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.session_secrets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.session_values ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

CREATE POLICY shared_rows ON public.harnesses FOR SELECT USING ((organization_id IS NULL));

CREATE POLICY shared_rows ON public.models FOR SELECT USING ((organization_id IS NULL));

CREATE POLICY shared_rows ON public.providers FOR SELECT USING ((organization_id IS NULL));

ALTER TABLE public.turn_configs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.turns ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhooks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.workspace_files ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.workspace_usage ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.workspaces ENABLE ROW LEVEL SECURITY;
