-- What revision 0007 makes, built-in rows included: the start of an upgrade test.
-- Taken with pg_dump --inserts; settings of the session are left out.

CREATE FUNCTION public.events_never_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'events never change';
END $$;

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
    CONSTRAINT agents_status CHECK ((status = ANY (ARRAY['active'::text, 'archived'::text, 'deleted'::text])))
);

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
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
    default_model_id uuid,
    status text DEFAULT 'active'::text NOT NULL,
    is_built_in boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

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

CREATE TABLE public.models (
    id uuid NOT NULL,
    organization_id uuid,
    model_id text NOT NULL,
    display_name text NOT NULL,
    provider_type text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.organizations (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
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
    CONSTRAINT session_heads_status CHECK ((status = ANY (ARRAY['started'::text, 'active'::text, 'idle'::text, 'waitingfortoolresults'::text])))
)
WITH (fillfactor='50');

CREATE TABLE public.session_pins (
    session_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

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
    deleted_at timestamp with time zone
);

CREATE TABLE public.turn_configs (
    organization_id uuid NOT NULL,
    hash text NOT NULL,
    config jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

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
    CONSTRAINT turns_status CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'sealed'::text])))
)
WITH (fillfactor='70');

INSERT INTO public.alembic_version VALUES ('0007');

INSERT INTO public.harnesses VALUES ('01933b5a-0000-7000-8000-000000000300', NULL, 'base', 'Base', 'No prompt and no capabilities of its own', '', '[]', NULL, 'active', true, '2026-11-27 22:02:26.056543+00', '2026-11-27 22:02:26.056543+00');
INSERT INTO public.harnesses VALUES ('01933b5a-0000-7000-8000-000000000301', NULL, 'generic', 'Generic', 'For agents and sessions that name no harness', 'You are a helpful assistant.', '[]', NULL, 'active', true, '2026-11-27 22:02:26.056543+00', '2026-11-27 22:02:26.056543+00');

INSERT INTO public.models VALUES ('01933b5a-0000-7000-8000-000000000400', NULL, 'llmsim-model', 'Simulated model', 'llmsim', true, '{}', '2026-11-27 22:02:26.056543+00', '2026-11-27 22:02:26.056543+00');

INSERT INTO public.organizations VALUES ('00000000-0000-0000-0000-000000000001', 'Default', '2026-11-27 22:02:26.056543+00', '2026-11-27 22:02:26.056543+00');

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (session_id, sequence);

ALTER TABLE ONLY public.harnesses
    ADD CONSTRAINT harnesses_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (organization_id, method, route, scope, key);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.session_heads
    ADD CONSTRAINT session_heads_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.session_pins
    ADD CONSTRAINT session_pins_pkey PRIMARY KEY (session_id, principal_id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.turn_configs
    ADD CONSTRAINT turn_configs_pkey PRIMARY KEY (organization_id, hash);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_pkey PRIMARY KEY (id);

CREATE INDEX agents_newest ON public.agents USING btree (organization_id, created_at DESC, id DESC);

CREATE UNIQUE INDEX agents_slug ON public.agents USING btree (organization_id, slug) WHERE (status <> 'deleted'::text);

CREATE INDEX events_messages ON public.events USING btree (session_id, sequence) WHERE (type = ANY (ARRAY['input.message'::text, 'output.message.completed'::text, 'tool.completed'::text]));

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

CREATE INDEX session_heads_busy ON public.session_heads USING btree (session_id) WHERE (status = ANY (ARRAY['active'::text, 'waitingfortoolresults'::text]));

CREATE INDEX sessions_deleted ON public.sessions USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX sessions_newest ON public.sessions USING btree (organization_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX sessions_of_agent ON public.sessions USING btree (agent_id, created_at DESC) WHERE (deleted_at IS NULL);

CREATE INDEX turns_newest ON public.turns USING btree (session_id, input_sequence DESC);

CREATE UNIQUE INDEX turns_open ON public.turns USING btree (session_id) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text]));

CREATE INDEX turns_queued ON public.turns USING btree (available_at) WHERE (status = 'queued'::text);

CREATE INDEX turns_running ON public.turns USING btree (lease_until) WHERE (status = 'running'::text);

CREATE TRIGGER events_never_change BEFORE UPDATE ON public.events FOR EACH ROW EXECUTE FUNCTION public.events_never_change();

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_harness_id_fkey FOREIGN KEY (harness_id) REFERENCES public.harnesses(id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.harnesses
    ADD CONSTRAINT harnesses_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.session_heads
    ADD CONSTRAINT session_heads_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.session_pins
    ADD CONSTRAINT session_pins_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

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
