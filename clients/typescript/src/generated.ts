// Generated from docs/openapi.json by tools/generate.mjs; not to be changed by hand.

export interface paths {
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is the process alive?
         * @description Answer without asking anything else.
         */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is the process alive?
         * @description Answer as /health does.
         */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Can the process work?
         * @description Ask the database and Redis.
         */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List agents
         * @description List a page of agents, newest first.
         */
        get: operations["list_agents"];
        put?: never;
        /**
         * Create or replace an agent
         * @description Replaces the agent with the given `id`, or without one the agent with that name, and then answers 200.
         */
        post: operations["create_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an agent
         * @description Get one agent by id or name.
         */
        get: operations["get_agent"];
        /**
         * Replace an agent
         * @description Replace an agent, or create it under the id in the path.
         */
        put: operations["replace_agent"];
        post?: never;
        /**
         * Archive an agent
         * @description Archive an agent: its sessions go on, new ones cannot have it.
         */
        delete: operations["archive_agent"];
        options?: never;
        head?: never;
        /**
         * Change an agent
         * @description Change the fields that are given; null takes a field back to its default.
         */
        patch: operations["update_agent"];
        trace?: never;
    };
    "/v1/agents/{agent}/copy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copy an agent
         * @description Make a new agent of this one, named `… (copy)`.
         */
        post: operations["copy_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete an archived agent
         * @description Delete an agent for good; it must be archived.
         */
        post: operations["delete_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export an agent
         * @description Write an agent as Markdown that can be imported again.
         */
        get: operations["export_agent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count an agent's use
         * @description Add up what the agent's sessions have used.
         */
        get: operations["count_agent_use"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an agent's versions
         * @description A bare array, newest first.
         */
        get: operations["list_versions"];
        put?: never;
        /**
         * Make a version
         * @description Of the agent as it is. `change_kind` is `manual`, `patch`, `minor` or `major`; the last two raise that number, the others the patch number.
         */
        post: operations["create_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/versions/{from_id}/diff/{to_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare two versions
         * @description Each difference is `{path, from, to}`; null stands for what is not there.
         */
        get: operations["diff_versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/versions/{version_id}/fork": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a new agent of a version
         * @description Make a new agent of a version.
         */
        post: operations["fork_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/versions/{version_id}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go back to a version
         * @description The agent becomes what it was, under the name it has now; that is a new version. `save_version` first keeps what there is now as one of its own.
         */
        post: operations["rollback_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent}/versions/default": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Choose the version that sessions run on
         * @description Turns that start from now on run on the agent as that version has it, whatever is changed on the agent meanwhile. Null goes back to the agent as it is.
         */
        post: operations["set_default_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/analyze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Analyze an agent
         * @description What deterministic rules notice; no model is asked and nothing is stored.
         */
        post: operations["analyze_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/check-name": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is a name free?
         * @description Tell whether an agent could have this name.
         */
        get: operations["check_name"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What may be done
         * @description Tell what the caller may do with agents.
         */
        get: operations["show_policies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import an agent
         * @description Markdown with YAML front matter, YAML, JSON or plain text, at most 3 MB; or none, with `from-example` one of `assistant`, `weather-reporter` and `researcher`.
         */
        post: operations["import_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Preview an agent
         * @description The prompt and the tools that a model would be given, and what is noticed about them. Nothing is stored. Without a harness the default one counts.
         */
        post: operations["preview_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit-log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the audit log
         * @description Who did what in the organization, newest first: each request that changed something or was to, and each that was refused. What is frequent appears within about a second, everything else before it is answered. With `installation` what belongs to no organization: strangers that were refused, logins, commands of the operator.
         */
        get: operations["read_audit_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API keys
         * @description List the caller's keys and those of the organization's agents, but no revoked ones.
         */
        get: operations["list_api_keys"];
        put?: never;
        /**
         * Make an API key
         * @description Its text is in this answer and nowhere else. It grants what its maker is granted, or less.
         */
        post: operations["create_api_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/api-keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an API key
         * @description Nobody gets in with it from then on, and streams opened with it end.
         */
        delete: operations["revoke_api_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How to get in
         * @description Tell whether there are keys only, or passwords too.
         */
        get: operations["show_auth_config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept an invitation
         * @description Join the organization that the token invites the caller's address to.
         */
        post: operations["accept_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in
         * @description Get tokens for an email and a password; for browsers they are cookies too.
         */
        post: operations["log_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List one's logins
         * @description List the caller's logins that are good, the one used last first.
         */
        get: operations["list_logins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logins/{login_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End one of one's logins
         * @description Its tokens are good no more, and streams opened with them end.
         */
        delete: operations["end_login"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out
         * @description Ends the login of the refresh token, or else of the access token; all its tokens, and streams opened with them, end with it.
         */
        post: operations["log_out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who am I?
         * @description Tell on whose behalf the caller acts, where, and what it is granted.
         */
        get: operations["show_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change one's password
         * @description One's other logins end; one's keys stay.
         */
        post: operations["change_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get new tokens
         * @description The refresh token comes in the body or in a cookie, and is good no more. One that is shown again later ends its login.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make an account
         * @description By an invitation; without one where sign-up is open, with an organization of one's own.
         */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/capabilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List capabilities
         * @description List a page of capabilities, in the order of the catalogue.
         */
        get: operations["find_capabilities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/capabilities/{capability_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a capability
         * @description Get a capability by its id or an alias of it.
         */
        get: operations["get_capability"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/capabilities/guardrails/examples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List presets of guardrails
         * @description There are none yet.
         */
        get: operations["list_guardrail_examples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an agent's card
         * @description The channel is the id or the name of an agent.
         */
        get: operations["get_card"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/runtime-auth": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mint a runtime token
         * @description Refuse: tokens come with authentication, which is not built yet.
         */
        post: operations["create_runtime_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the caller's sessions with the agent
         * @description List a page of sessions, most recently active first.
         */
        get: operations["list_channel_sessions"];
        put?: never;
        /**
         * Create a session of the agent
         * @description Create a session of the agent, the caller's own.
         */
        post: operations["create_channel_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a session of the agent
         * @description Get one of the caller's sessions, with what it waits for.
         */
        get: operations["get_channel_session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions/{session_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the running turn
         * @description Cancel what the session is doing; nothing happens when it is idle.
         */
        post: operations["channel_cancel_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions/{session_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events
         * @description Without a forward cursor `limit` means the last events, with one the first after it; at most 1000.
         */
        get: operations["channel_list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions/{session_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a message to the agent
         * @description Starts a turn or steers the one under way; `turn_id` says which.
         */
        post: operations["create_channel_message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions/{session_id}/question-answers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer an agent's questions
         * @description Refuse: no tool of this release asks the user anything.
         */
        post: operations["answer_questions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions/{session_id}/sse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream events
         * @description Server-sent events from a cursor, or from the newest turn, on. Served by the stream process.
         */
        get: operations["channel_stream_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/sessions/{session_id}/tool-approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Allow or reject tool calls
         * @description Decides on calls of a `tool.approval_requested` event; the turn goes on when each is decided on. `allow_always` and `reject_always` hold for the tool and the rest of the session. All decisions of a request are taken or none.
         */
        post: operations["channel_decide_tool_calls"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/circuit-breakers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List circuit breakers
         * @description One for each provider that the caller may use.
         */
        get: operations["list_circuit_breakers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/circuit-breakers/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a circuit breaker
         * @description Get the breaker of one provider.
         */
        get: operations["get_circuit_breaker"];
        put?: never;
        post?: never;
        /**
         * Reset a circuit breaker
         * @description Forget what is known of a provider's failures: it is closed.
         */
        delete: operations["delete_circuit_breaker"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/circuit-breakers/{key}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close a circuit breaker
         * @description Let calls through again, and forget all failures.
         */
        post: operations["close_circuit_breaker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/circuit-breakers/{key}/open": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open a circuit breaker
         * @description No call goes to the provider for a day, or until it is closed.
         */
        post: operations["open_circuit_breaker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What may be done
         * @description Tell what the caller may do here.
         */
        get: operations["show_durable_policies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/dlq": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List dead letters
         * @description Turns that were sealed because they kept losing their workers, and that were not tried again.
         */
        get: operations["list_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/dlq/{entry_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a dead letter
         * @description Get one dead letter, also one that was tried again.
         */
        get: operations["get_dead_letter"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/dlq/{entry_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try a dead letter again
         * @description A new turn for the same message. Once for each dead letter, and not while a turn of the session is open or when it has gone on with a newer message (409).
         */
        post: operations["retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Do turns get done?
         * @description Counts of the whole installation: `unhealthy` when no worker takes turns, `degraded` when turns wait longer than they should.
         */
        get: operations["show_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/sse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Watch the service
         * @description Server-sent events: `connected`, a `snapshot` of health and workers every few seconds, `disconnecting` after ten minutes. Served by the stream process.
         */
        get: operations["stream_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tasks
         * @description Each workflow has one: to run the turn.
         */
        get: operations["list_tasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List workers
         * @description Those that have been gone for an hour are forgotten.
         */
        get: operations["list_workers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workers/{worker_id}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Drain a worker
         * @description It takes no more turns and finishes those that it has.
         */
        post: operations["drain_worker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workers/{worker_id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a worker
         * @description Let a drained worker take turns again.
         */
        post: operations["resume_worker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workflows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List workflows
         * @description A workflow is a turn: queued is `pending`, running and waiting are `running`, failed and sealed are `failed`.
         */
        get: operations["list_workflows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workflows/{workflow_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a workflow
         * @description Get one turn; of a failed one its error says why.
         */
        get: operations["get_workflow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workflows/{workflow_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a workflow
         * @description Cancel the turn; nothing happens when it is over.
         */
        post: operations["cancel_workflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workflows/{workflow_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a workflow's events
         * @description List the turn's events, oldest first.
         */
        get: operations["get_workflow_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/durable/workflows/{workflow_id}/sse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Watch a workflow
         * @description Server-sent events: `connected`, the turn's events as they are listed, each under the name of its type, and `disconnecting` with the reason `workflow_over` after the last. Served by the stream process.
         */
        get: operations["stream_workflow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harness-examples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List example harnesses
         * @description A bare array.
         */
        get: operations["list_harness_examples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harnesses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List harnesses
         * @description List the built-in harnesses and the organization's own.
         */
        get: operations["list_harnesses"];
        put?: never;
        /**
         * Create a harness
         * @description Create a harness; its name must be free, also of the built-in ones.
         */
        post: operations["create_harness"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harnesses/{harness}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a harness
         * @description Get one harness by id or name.
         */
        get: operations["get_harness"];
        put?: never;
        post?: never;
        /**
         * Archive a harness
         * @description Archive a harness: agents and sessions that have it go on, nothing new can have it.
         */
        delete: operations["archive_harness"];
        options?: never;
        head?: never;
        /**
         * Change a harness
         * @description Change the fields that are given; null takes a field back to its default.
         */
        patch: operations["update_harness"];
        trace?: never;
    };
    "/v1/harnesses/{harness}/copy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copy a harness
         * @description Make a harness of one's own of this one, named `… (copy)`.
         */
        post: operations["copy_harness"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harnesses/{harness}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count a harness's use
         * @description Add up what the organization's sessions with this harness have used.
         */
        get: operations["count_harness_use"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harnesses/check-name": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is a harness name free?
         * @description Tell whether a harness could have this name.
         */
        get: operations["check_harness_name"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harnesses/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What may be done with harnesses
         * @description Tell what the caller may do with harnesses.
         */
        get: operations["show_harness_policies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harnesses/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a harness of an example
         * @description Create a harness from one of `GET /harness-examples`, to be changed at will.
         */
        post: operations["import_harness"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/harnesses/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Preview a harness
         * @description The prompt and the tools that it amounts to with its parents, and what is noticed about them. Nothing is stored.
         */
        post: operations["preview_harness"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List images
         * @description List a page of images, newest first; with `session_id` those uploaded for a session.
         */
        get: operations["list_images"];
        put?: never;
        /**
         * Upload an image
         * @description Keep a PNG, JPEG, GIF or WebP file, known by its content; `session_id` is a label.
         */
        post: operations["upload_image"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/{image_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download an image
         * @description Get the bytes as they were uploaded; with Range a part of them, with ETag if changed.
         */
        get: operations["download_image"];
        put?: never;
        post?: never;
        /**
         * Delete an image
         * @description Delete it; where messages show it, the agent is told that it is gone.
         */
        delete: operations["delete_image"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/{image_id}/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get what is known of an image
         * @description Get the image's name, size and kind.
         */
        get: operations["get_image_info"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/{image_id}/thumbnail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an image's thumbnail
         * @description Get a small picture of it: upright, at most 200 by 200, JPEG, or PNG if it is see-through.
         */
        get: operations["get_thumbnail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/mcp-servers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List MCP servers
         * @description List a page of servers, newest first.
         */
        get: operations["list_mcp_servers"];
        put?: never;
        /**
         * Register an MCP server
         * @description `headers` and `api_key` are encrypted and never returned; storing one without a master key answers 503.
         */
        post: operations["create_mcp_server"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/mcp-servers/{server_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an MCP server
         * @description Get one server.
         */
        get: operations["get_mcp_server"];
        put?: never;
        post?: never;
        /**
         * Delete an MCP server
         * @description Delete one server and its secrets; who was granted it has its tools no more.
         */
        delete: operations["delete_mcp_server"];
        options?: never;
        head?: never;
        /**
         * Change an MCP server
         * @description Only what is given; null takes a field back to its default. When the URL changes, secrets that are stored are given again or cleared (422 otherwise). `headers` and `api_key` are encrypted and never returned; storing one without a master key answers 503.
         */
        patch: operations["change_mcp_server"];
        trace?: never;
    };
    "/v1/mcp-servers/{server_id}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Forget an MCP server's list of tools
         * @description The next turn that is granted the server asks it anew; otherwise a list is used for 24 hours.
         */
        post: operations["refresh_mcp_server"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/mcp-servers/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What may be done
         * @description Tell what the caller may do with MCP servers.
         */
        get: operations["show_mcp_policies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List models
         * @description Of all providers; without those that their provider lists no more.
         */
        get: operations["list_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a model
         * @description Get one model.
         */
        get: operations["get_model"];
        put?: never;
        post?: never;
        /**
         * Delete a model
         * @description Turns that name it fail with `llm_error`, reason `model_unavailable`. One that its provider lists comes back with the next sync: disable it instead.
         */
        delete: operations["delete_model"];
        options?: never;
        head?: never;
        /**
         * Change a model
         * @description Change the fields that are given; null takes profile and settings back.
         */
        patch: operations["update_model"];
        trace?: never;
    };
    "/v1/models/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What may be done
         * @description Tell what the caller may do with models.
         */
        get: operations["show_model_policies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orgs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List organizations
         * @description List those that the caller may act in, oldest first.
         */
        get: operations["list_organizations"];
        put?: never;
        /**
         * Create an organization
         * @description For who has logged in, who will be its owner, and for the operator.
         */
        post: operations["create_organization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orgs/{org}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an organization
         * @description Get an organization of the caller's.
         */
        get: operations["get_organization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change an organization
         * @description Change its name, or the model of turns for which nothing else names one.
         */
        patch: operations["update_organization"];
        trace?: never;
    };
    "/v1/orgs/{org}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List invitations
         * @description List those that can still be accepted, oldest first.
         */
        get: operations["list_invitations"];
        put?: never;
        /**
         * Invite somebody
         * @description The token is in this answer and nowhere else: give it to whom it is for. It is good once, for a week, for an account of that address.
         */
        post: operations["invite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orgs/{org}/invitations/{invitation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Withdraw an invitation
         * @description Let an invitation be good for nothing.
         */
        delete: operations["withdraw_invitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orgs/{org}/leave": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Leave an organization
         * @description Let the caller be no member any more; the last owner stays.
         */
        post: operations["leave_organization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orgs/{org}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List members
         * @description List the members, who was first first.
         */
        get: operations["list_members"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orgs/{org}/members/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a member
         * @description Their keys for the organization are revoked and their streams there end.
         */
        delete: operations["remove_member"];
        options?: never;
        head?: never;
        /**
         * Change a member's role
         * @description `owner`, `admin`, `member` or `viewer`. Owners alone make and unmake owners; the last one stays. It is so everywhere within seconds.
         */
        patch: operations["change_role"];
        trace?: never;
    };
    "/v1/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List providers
         * @description Built-in ones first. Their keys come from the environment.
         */
        get: operations["list_providers"];
        put?: never;
        /**
         * Create a provider
         * @description The key is stored encrypted and never shown. Without a key of its own a provider at its usual address uses the environment's, where there is one.
         */
        post: operations["create_provider"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/providers/{provider_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a provider
         * @description Get one provider.
         */
        get: operations["get_provider"];
        put?: never;
        post?: never;
        /**
         * Delete a provider
         * @description With its key and its models. Turns that need one of them fail with `llm_error`, reason `model_unavailable`.
         */
        delete: operations["delete_provider"];
        options?: never;
        head?: never;
        /**
         * Change a provider
         * @description Changes what is given. An `api_key` of null or empty removes the key; without the field it stays, unless the address changes: then it has to be given again.
         */
        patch: operations["update_provider"];
        trace?: never;
    };
    "/v1/providers/{provider_id}/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a provider's models
         * @description List the models of one provider.
         */
        get: operations["list_provider_models"];
        put?: never;
        /**
         * Add a model
         * @description Add a model that the provider is known to offer.
         */
        post: operations["add_provider_model"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/providers/{provider_id}/sync-models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read a provider's own list of models
         * @description What is new becomes a model with source `discovered`; discovered ones that are listed no more become stale. Answers `not_supported` for types without a list.
         */
        post: operations["sync_provider_models"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/providers/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Types of providers
         * @description Tell which types of providers there are, what each needs, and what the caller may do.
         */
        get: operations["show_provider_config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List sessions
         * @description List a page of sessions, newest first.
         */
        get: operations["list_sessions"];
        put?: never;
        /**
         * Create a session
         * @description Create a session, with or without an agent; every field is optional.
         */
        post: operations["create_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a session
         * @description Get one session.
         */
        get: operations["get_session"];
        put?: never;
        post?: never;
        /**
         * Delete a session
         * @description Delete the session and everything under it; a running turn is cancelled.
         */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        /**
         * Change a session
         * @description Change title, locale or tags; what is absent stays.
         */
        patch: operations["update_session"];
        trace?: never;
    };
    "/v1/sessions/{session_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the running turn
         * @description Cancel what the session is doing; nothing happens when it is idle.
         */
        post: operations["cancel_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/diagnosis": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Say why a session does not go on
         * @description One sentence with its evidence: idle, queued behind others, no live worker, running in which step on which worker, a worker that was lost, a call that is waited for, a dead letter. Looks at the database and Redis, and changes nothing.
         */
        get: operations["diagnose_session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events
         * @description Without a forward cursor `limit` means the last events, with one the first after it; at most 1000.
         */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/events/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count events
         * @description Count the session's events by type.
         */
        get: operations["summarize_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export a session's messages
         * @description Export the messages, one JSON object a line.
         */
        get: operations["export_session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fork": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fork a session
         * @description A new session with a copy of configuration, events and files, that goes its own way. `up_to_sequence`, the last event of a turn, leaves out what came later; files are copied as they are now.
         */
        post: operations["fork"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List files
         * @description List the root directory, or with `recursive` everything.
         */
        get: operations["list_session_root"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs/_/copy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copy a file or directory
         * @description Copy a file or a directory with all it holds to where there is nothing.
         */
        post: operations["copy_session_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs/_/download/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a file
         * @description Get a file's bytes.
         */
        get: operations["download_session_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs/_/grep": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search files
         * @description Find the lines that an RE2 expression matches, in text files alone.
         */
        post: operations["grep_session_files"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs/_/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a file or directory
         * @description Move a file or a directory with all it holds to where there is nothing.
         */
        post: operations["move_session_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs/_/preview/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Preview a text file
         * @description Get a text file to look at, as plain text that no browser runs; binary ones are refused.
         */
        get: operations["preview_session_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs/_/stat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look at a file
         * @description Tell what there is to know of a file or directory but its content.
         */
        post: operations["stat_session_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/fs/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a file or list a directory
         * @description Read a file; of a directory, list what it holds.
         */
        get: operations["read_session_file"];
        /**
         * Write a file
         * @description Create a file or replace what it holds.
         */
        put: operations["put_session_file"];
        /**
         * Create a file or directory
         * @description Create a file or a directory where there is nothing; directories above are made too.
         */
        post: operations["create_session_file"];
        /**
         * Delete a file or directory
         * @description Delete a file, an empty directory, or with `recursive` all that a directory holds.
         */
        delete: operations["delete_session_file"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List messages
         * @description All of them, oldest first; with `limit` a page of at most 100.
         */
        get: operations["list_messages"];
        put?: never;
        /**
         * Send a message
         * @description Answers at once; the turn that it starts is seen as events.
         */
        post: operations["create_message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Pin a session
         * @description Pin the session for the caller.
         */
        put: operations["pin"];
        post?: never;
        /**
         * Unpin a session
         * @description Take the caller's pin away.
         */
        delete: operations["unpin"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/sse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream events
         * @description Server-sent events from a cursor, or from the newest turn, on. Served by the stream process.
         */
        get: operations["stream_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/storage/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a session's values
         * @description List what the agent has kept with `kv_store`, by key.
         */
        get: operations["list_values"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/storage/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a session's secrets
         * @description List the names of the session's secrets; their values are never shown.
         */
        get: operations["list_secrets"];
        /**
         * Set secrets of a session
         * @description Store secrets by name, replacing those of the same names; others stay.
         */
        put: operations["set_secrets"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/tool-approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Allow or reject tool calls
         * @description Decides on calls of a `tool.approval_requested` event; the turn goes on when each is decided on. `allow_always` and `reject_always` hold for the tool and the rest of the session. All decisions of a request are taken or none.
         */
        post: operations["decide_tool_calls"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}/tool-results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send results of client-side tools
         * @description Answers calls of a `tool.call_requested` event, all at once or in parts; the turn goes on when each has its result. All results of a request are taken or none.
         */
        post: operations["create_tool_results"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open the caller's chat session
         * @description The one that there is, or a new one.
         */
        post: operations["open_chat_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count sessions
         * @description Count the organization's sessions by status.
         */
        get: operations["count_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/task-webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List webhooks
         * @description List a page of webhooks, newest first.
         */
        get: operations["list_webhooks"];
        put?: never;
        /**
         * Register a webhook
         * @description Its secret is in this answer and nowhere else; without a master key, 503. Without `events` it is told of all.
         */
        post: operations["create_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/task-webhooks/{webhook_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a webhook
         * @description Get one webhook.
         */
        get: operations["get_webhook"];
        put?: never;
        post?: never;
        /**
         * Delete a webhook
         * @description Delete one webhook, its secret and all that it was to be told.
         */
        delete: operations["delete_webhook"];
        options?: never;
        head?: never;
        /**
         * Change a webhook
         * @description Only what is given. What is on its way to one that is switched off is given up, and can be sent again later.
         */
        patch: operations["change_webhook"];
        trace?: never;
    };
    "/v1/task-webhooks/{webhook_id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what a webhook was told
         * @description What was delivered is kept for a day, what was given up (`dead`) for 30.
         */
        get: operations["list_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/task-webhooks/{webhook_id}/deliveries/{delivery_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a delivery again
         * @description One that was given up, under the id that it has.
         */
        post: operations["retry_delivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List users
         * @description List the members of the organization, who was first first.
         */
        get: operations["list_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete one's account
         * @description One's logins end and one's keys are revoked; what one has made stays, as the organization's. Who is an organization's last owner makes another first.
         */
        delete: operations["delete_me"];
        options?: never;
        head?: never;
        /**
         * Change one's account
         * @description Change the caller's name.
         */
        patch: operations["update_me"];
        trace?: never;
    };
    "/v1/users/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export one's account
         * @description All that is kept of the caller as a person.
         */
        get: operations["export_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/switch-org": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switch to another organization
         * @description Requests of this login that name no organization are made in it from then on.
         */
        post: operations["switch_organization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List shared workspaces
         * @description List all of them, newest first; archived ones only when asked for.
         */
        get: operations["list_workspaces"];
        put?: never;
        /**
         * Create a shared workspace
         * @description Create a workspace that sessions can share; its name is the only one.
         */
        post: operations["create_workspace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a workspace
         * @description Get a shared workspace; a session's own has files and nothing else to show.
         */
        get: operations["get_workspace"];
        put?: never;
        post?: never;
        /**
         * Archive a workspace
         * @description Archive it: files and sessions stay, new sessions cannot have it.
         */
        delete: operations["archive_workspace"];
        options?: never;
        head?: never;
        /**
         * Change a workspace
         * @description Change name, description or status; `active` brings an archived one back.
         */
        patch: operations["update_workspace"];
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete a workspace
         * @description Delete an archived workspace and its files, if no session works on it.
         */
        post: operations["delete_workspace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List files
         * @description List the root directory, or with `recursive` everything.
         */
        get: operations["list_workspace_root"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs/_/copy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copy a file or directory
         * @description Copy a file or a directory with all it holds to where there is nothing.
         */
        post: operations["copy_workspace_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs/_/download/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a file
         * @description Get a file's bytes.
         */
        get: operations["download_workspace_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs/_/grep": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search files
         * @description Find the lines that an RE2 expression matches, in text files alone.
         */
        post: operations["grep_workspace_files"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs/_/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a file or directory
         * @description Move a file or a directory with all it holds to where there is nothing.
         */
        post: operations["move_workspace_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs/_/preview/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Preview a text file
         * @description Get a text file to look at, as plain text that no browser runs; binary ones are refused.
         */
        get: operations["preview_workspace_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs/_/stat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look at a file
         * @description Tell what there is to know of a file or directory but its content.
         */
        post: operations["stat_workspace_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace_id}/fs/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a file or list a directory
         * @description Read a file; of a directory, list what it holds.
         */
        get: operations["read_workspace_file"];
        /**
         * Write a file
         * @description Create a file or replace what it holds.
         */
        put: operations["put_workspace_file"];
        /**
         * Create a file or directory
         * @description Create a file or a directory where there is nothing; directories above are made too.
         */
        post: operations["create_workspace_file"];
        /**
         * Delete a file or directory
         * @description Delete a file, an empty directory, or with `recursive` all that a directory holds.
         */
        delete: operations["delete_workspace_file"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Acceptance: {
            token: string;
        };
        Actor: {
            actor_id: string;
            actor_name?: string | null;
            metadata?: {
                [key: string]: unknown;
            } | null;
            source: string;
        } & {
            [key: string]: unknown;
        };
        Agent: {
            /** Format: date-time */
            archived_at: string | null;
            capabilities: components["schemas"]["CapabilityObject"][];
            /** Format: date-time */
            created_at: string;
            default_model_id: string | null;
            default_version_id: string | null;
            /** Format: date-time */
            deleted_at: string | null;
            description: string | null;
            display_name: string | null;
            fallback_models: string[];
            forked_from_agent_id: string | null;
            forked_from_version_id: string | null;
            harness_id: string;
            id: string;
            initial_files: {
                [key: string]: unknown;
            }[];
            max_iterations: number | null;
            mcpServers: {
                [key: string]: unknown;
            };
            name: string;
            network_access: {
                [key: string]: unknown;
            } | null;
            parallel_tool_calls: boolean | null;
            root_agent_id: string | null;
            /** @enum {string} */
            status: "active" | "archived";
            system_prompt: string;
            tags: string[];
            tools: {
                [key: string]: unknown;
            }[];
            /** Format: date-time */
            updated_at: string;
            usage: {
                [key: string]: unknown;
            } | null;
        };
        AgentList: {
            data: components["schemas"]["Agent"][];
            limit: number;
            offset: number;
            total: number;
        };
        AgentPatch: {
            capabilities?: (string | {
                config?: Record<string, never>;
                ref: string;
            })[] | null;
            default_model_id?: string | null;
            description?: string | null;
            display_name?: string | null;
            fallback_models?: string[] | null;
            harness_id?: string | null;
            harness_name?: string | null;
            initial_files?: components["schemas"]["InitialFile"][] | null;
            max_iterations?: number | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            name?: string;
            network_access?: components["schemas"]["NetworkAccess"] | null;
            parallel_tool_calls?: boolean | null;
            system_prompt?: string;
            tags?: string[] | null;
            tools?: components["schemas"]["Tool"][] | null;
        };
        AgentPreview: {
            capabilities?: unknown[] | null;
            /** @default null */
            harness_id?: string | null;
            /** @default null */
            harness_name?: string | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            /** @default  */
            system_prompt?: string | null;
            tools?: {
                [key: string]: unknown;
            }[] | null;
        };
        AgentVersion: {
            agent_id: string;
            authored_config: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            change_kind: "auto" | "manual" | "patch" | "minor" | "major" | "import" | "rollback" | "fork";
            config_hash: string;
            /** Format: date-time */
            created_at: string;
            created_by_principal_id: string | null;
            id: string;
            resolved_config: {
                [key: string]: unknown;
            };
            semver_major: number;
            semver_minor: number;
            semver_patch: number;
            source_version_id: string | null;
            summary: string | null;
            version: string;
            version_number: number;
        };
        Analysis: {
            findings: components["schemas"]["Finding"][];
        };
        ApiKey: {
            agent_id: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            id: string;
            key_prefix: string;
            /** Format: date-time */
            last_used_at: string | null;
            name: string;
            scopes: string[];
        };
        ApiKeyList: {
            data: components["schemas"]["ApiKey"][];
            total: number;
        };
        AuditActor: {
            /** @description Of the user or the key */
            id: string | null;
            /** @description The user whose key it is, or the agent that it is for */
            on_behalf_of: string | null;
            /** @enum {string} */
            type: "user" | "api_key" | "agent_key" | "configured_key" | "anonymous" | "cli" | "unknown";
        };
        AuditEntry: {
            /** @description An operation, as this document names it */
            action: string;
            actor: components["schemas"]["AuditActor"];
            address: string | null;
            /** Format: date-time */
            at: string;
            /** @description How many acts it stands for; mostly 1 */
            count: number;
            id: string;
            method: string | null;
            /** @enum {string} */
            outcome: "done" | "refused" | "failed";
            request_id: string | null;
            /** @description What the path names, outermost first, then what was made */
            resources: components["schemas"]["AuditResource"][];
            route: string | null;
            status: number | null;
        };
        AuditLog: {
            data: components["schemas"]["AuditEntry"][];
            next_page_token: string | null;
        };
        AuditResource: {
            id: string;
            type: string;
        };
        AuthConfig: {
            mode: string;
            oauth_providers: string[];
            password_auth_enabled: boolean;
            signup_enabled: boolean;
        };
        Available: {
            available: boolean;
        };
        CallDecision: {
            /** @enum {string} */
            decision: "allow" | "allow_always" | "reject" | "reject_always";
            reason?: string | null;
            tool_call_id: string;
        };
        CallDecisions: {
            decisions: components["schemas"]["CallDecision"][];
        };
        Cancel: {
            message: string;
            /** @enum {string} */
            status: "cancelled" | "no_op";
        };
        Capability: {
            agent_count: number;
            category: string;
            config_schema: {
                [key: string]: unknown;
            };
            config_ui_schema: {
                [key: string]: unknown;
            } | null;
            dependencies: string[];
            description: string;
            docs_slug: string | null;
            features: string[];
            harness_count: number;
            icon: string;
            id: string;
            is_guardrail: boolean;
            is_mcp: boolean;
            is_skill: boolean;
            localizations: {
                [key: string]: unknown;
            };
            name: string;
            /** @enum {string} */
            risk_level: "low" | "medium" | "high";
            /** @enum {string} */
            status: "available" | "coming_soon" | "deprecated";
            system_prompt: string | null;
            tool_definitions: {
                [key: string]: unknown;
            }[];
        };
        CapabilityList: {
            data: components["schemas"]["Capability"][];
            limit: number;
            offset: number;
            total: number;
        };
        CapabilityObject: {
            config: {
                [key: string]: unknown;
            };
            ref: string;
        };
        Card: {
            auth: {
                [key: string]: unknown;
            }[];
            conversation_starters: string[];
            description: string | null;
            input: components["schemas"]["ChannelInput"];
            links: {
                [key: string]: unknown;
            };
            name: string;
            streaming: boolean;
        };
        ChannelInput: {
            files: boolean;
            images: boolean;
            text: boolean;
        };
        ChannelMessage: {
            content: {
                [key: string]: unknown;
            }[];
            controls?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            external_actor?: {
                [key: string]: unknown;
            };
            id: string;
            metadata?: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            phase?: "commentary" | "final_answer";
            /** @enum {string} */
            role: "user" | "agent" | "tool" | "tool_result";
            sequence: number;
            session_id: string;
            tags?: string[];
            turn_id: string | null;
        };
        ChannelSession: {
            /** @default null */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** @default null */
            title?: string | null;
        };
        ChannelSessionList: {
            data: components["schemas"]["ChannelSessionView"][];
            next_page_token: string | null;
        };
        ChannelSessionView: {
            active_schedule_count: number;
            agent_id: string | null;
            agent_version_id: string | null;
            capabilities: components["schemas"]["CapabilityObject"][];
            /** Format: date-time */
            created_at: string;
            features: string[];
            /** Format: date-time */
            finished_at: string | null;
            forked_from_sequence: number | null;
            forked_from_session_id: string | null;
            harness_id: string;
            hints: {
                [key: string]: unknown;
            } | null;
            id: string;
            initial_files: {
                [key: string]: unknown;
            }[];
            is_pinned: boolean;
            locale: string | null;
            max_iterations: number | null;
            mcpServers: {
                [key: string]: unknown;
            };
            model_id: string | null;
            network_access: {
                [key: string]: unknown;
            } | null;
            organization_id: string;
            output_preview: string | null;
            owner_principal_id: string;
            parallel_tool_calls: boolean | null;
            parent_session_id: string | null;
            pending_approvals: components["schemas"]["PendingCall"][];
            pending_questions: {
                [key: string]: unknown;
            }[];
            pending_tool_calls: components["schemas"]["PendingCall"][];
            preview: string | null;
            /** Format: date-time */
            started_at: string | null;
            /** @enum {string} */
            status: "started" | "active" | "idle" | "waitingfortoolresults";
            system_prompt: string | null;
            tags: string[];
            title: string | null;
            tools: {
                [key: string]: unknown;
            }[];
            /** Format: date-time */
            updated_at: string;
            usage: components["schemas"]["Usage"];
            workspace_id: string;
        };
        Chat: {
            /** @default null */
            locale?: string | null;
        };
        CircuitBreaker: {
            failure_count: number;
            /** Format: date-time */
            half_open_at: string | null;
            held_by_operator: boolean;
            key: string;
            /** Format: date-time */
            last_failure_at: string | null;
            /** Format: date-time */
            open_until: string | null;
            /** Format: date-time */
            opened_at: string | null;
            /** @enum {string} */
            state: "closed" | "open" | "half_open";
            success_count: number;
            /** Format: date-time */
            updated_at: string | null;
        };
        CircuitBreakerList: {
            data: components["schemas"]["CircuitBreaker"][];
            total: number;
        };
        ContentPart: components["schemas"]["TextPart"] | components["schemas"]["ImagePart"] | components["schemas"]["ImageFilePart"];
        Controls: {
            error_disclosure?: string | null;
            hints?: {
                [key: string]: unknown;
            } | null;
            locale?: string | null;
            max_tokens?: number | null;
            model_id?: string | null;
            reasoning?: components["schemas"]["Reasoning"] | null;
            temperature?: number | null;
        } & {
            [key: string]: unknown;
        };
        Cost: {
            cache_read?: number;
            input: number;
            output: number;
        };
        Count: {
            count: number;
        };
        DeadLetter: {
            activity_id: string;
            activity_type: string;
            attempts: number;
            /** Format: date-time */
            dead_at: string;
            error_history: components["schemas"]["Loss"][];
            id: string;
            /** @description where the message stands */
            input: {
                [key: string]: unknown;
            };
            last_error: string;
            original_task_id: string;
            retry: components["schemas"]["Retry"] | null;
            workflow_id: string;
        };
        DeadLetterList: {
            data: components["schemas"]["DeadLetter"][];
            limit: number;
            offset: number;
            total: number;
        };
        DecisionsAnswer: {
            resolved: string[];
            /** @enum {string} */
            status: "active" | "waitingfortoolresults";
        };
        DefaultVersion: {
            version_id: string | null;
        };
        Deleted: {
            deleted: boolean;
        };
        Delivery: {
            attempts: number;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            ended_at: string | null;
            /** @enum {string} */
            event: "turn.completed" | "turn.failed" | "turn.cancelled" | "turn.sealed" | "turn.waiting";
            /** @description What `webhook-id` says */
            id: string;
            last_error: string | null;
            last_status: number | null;
            /** Format: date-time */
            next_attempt_at: string | null;
            session_id: string;
            /** @enum {string} */
            status: "pending" | "delivered" | "dead";
            turn_id: string;
            webhook_id: string;
        };
        DeliveryList: {
            data: components["schemas"]["Delivery"][];
            limit: number;
            offset: number;
            total: number;
        };
        Diagnosis: {
            code: string;
            evidence: {
                [key: string]: unknown;
            };
            /** @description whether it will not go on by itself */
            is_stuck: boolean;
            message: string;
            suggestions: string[];
        };
        Diff: {
            authored_diff: {
                [key: string]: unknown;
            }[];
            from_version_id: string;
            resolved_diff: {
                [key: string]: unknown;
            }[];
            to_version_id: string;
        };
        Draft: {
            capabilities?: unknown[] | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            /** @default  */
            system_prompt?: string | null;
            tools?: {
                [key: string]: unknown;
            }[] | null;
        };
        Driver: {
            credential_schema: {
                [key: string]: unknown;
            };
            driver: string;
            name: string;
            supports_oauth: boolean;
            supports_sync: boolean;
        };
        Effort: {
            /** @enum {string} */
            default: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            values: components["schemas"]["EffortValue"][];
        };
        EffortValue: {
            name: string;
            /** @enum {string} */
            value: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
        };
        Error: {
            code: string;
            detail: string;
            error: string;
            errors?: components["schemas"]["Problem"][];
            message: string;
            request_id: string | null;
            retry_after_seconds?: number;
            status: number;
            title: string;
        };
        Event: {
            context: components["schemas"]["EventContext"];
            data: {
                [key: string]: unknown;
            };
            /** @description usable as a cursor */
            id: string;
            metadata: {
                [key: string]: unknown;
            } | null;
            /** @description absent only from text deltas */
            sequence?: number;
            session_id: string;
            tags: string[];
            /** Format: date-time */
            ts: string;
            type: string;
        };
        EventContext: {
            exec_id?: string;
            input_message_id?: string;
            /** @description the opener of the text stream that this event completes */
            stream_sequence?: number;
            trace_id?: string;
            turn_id?: string;
        };
        EventList: {
            data: components["schemas"]["Event"][];
            total: number;
        };
        EventSummary: {
            by_type: components["schemas"]["TypeCount"][];
            error_count: number;
            /** Format: date-time */
            first_ts: string | null;
            /** Format: date-time */
            last_ts: string | null;
            total: number;
            turn_count: number;
        };
        FileContent: {
            content: string;
            /**
             * @default null
             * @enum {string|null}
             */
            encoding?: "text" | "base64" | null;
            /** @default null */
            is_readonly?: boolean | null;
        };
        FileInfo: {
            content_hash: string | null;
            /** Format: date-time */
            created_at: string;
            id: string;
            is_directory: boolean;
            is_readonly: boolean;
            name: string;
            path: string;
            session_id: string;
            size_bytes: number;
            /** Format: date-time */
            updated_at: string;
        };
        FileInfoList: {
            data: components["schemas"]["FileInfo"][];
            total: number;
        };
        FileOrList: {
            content?: string | null;
            content_hash?: string | null;
            /** Format: date-time */
            created_at?: string;
            data?: components["schemas"]["FileInfo"][];
            encoding?: string | null;
            id?: string;
            is_directory?: boolean;
            is_readonly?: boolean;
            name?: string;
            path?: string;
            session_id?: string;
            size_bytes?: number;
            total?: number;
            /** Format: date-time */
            updated_at?: string;
        };
        FileStat: {
            content_hash: string | null;
            /** Format: date-time */
            created_at: string;
            is_directory: boolean;
            is_readonly: boolean;
            name: string;
            path: string;
            size_bytes: number;
            /** Format: date-time */
            updated_at: string;
        };
        Finding: {
            category: string;
            fix?: string;
            location?: components["schemas"]["Location"];
            message: string;
            rule_id: string;
            severity: string;
            source: string;
        };
        Fork: {
            agent_id?: string | null;
            locale?: string | null;
            model_id?: string | null;
            system_prompt?: string | null;
            tags?: string[] | null;
            title?: string | null;
            up_to_sequence?: number | null;
        };
        Grep: {
            /** @default null */
            path_pattern?: string | null;
            pattern: string;
        };
        GrepMatch: {
            line: string;
            line_number: number;
            path: string;
        };
        GrepResult: {
            matches: components["schemas"]["GrepMatch"][];
            path: string;
        };
        GrepResultList: {
            data: components["schemas"]["GrepResult"][];
            total: number;
            truncated: boolean;
        };
        GuardrailExamples: {
            examples: {
                [key: string]: unknown;
            }[];
        };
        Harness: {
            /** Format: date-time */
            archived_at: string | null;
            capabilities: components["schemas"]["CapabilityObject"][];
            /** Format: date-time */
            created_at: string;
            default_model_id: string | null;
            /** Format: date-time */
            deleted_at: string | null;
            description: string | null;
            display_name: string | null;
            embedder_metadata: {
                [key: string]: unknown;
            };
            id: string;
            initial_files: {
                [key: string]: unknown;
            }[];
            is_built_in: boolean;
            mcpServers: {
                [key: string]: unknown;
            };
            name: string;
            network_access: {
                [key: string]: unknown;
            } | null;
            parallel_tool_calls: boolean | null;
            parent_harness_id: string | null;
            /** @enum {string} */
            status: "active" | "archived";
            system_prompt: string;
            tags: string[];
            tools: {
                [key: string]: unknown;
            }[];
            /** Format: date-time */
            updated_at: string;
        };
        HarnessExample: {
            capabilities: components["schemas"]["CapabilityObject"][];
            description: string;
            dev_only: boolean;
            display_name: string;
            name: string;
            parent_name: string | null;
            tags: string[];
        };
        HarnessList: {
            data: components["schemas"]["Harness"][];
            total: number;
        };
        HarnessPatch: {
            capabilities?: (string | {
                config?: Record<string, never>;
                ref: string;
            })[] | null;
            default_model_id?: string | null;
            description?: string | null;
            display_name?: string | null;
            embedder_metadata?: {
                [key: string]: unknown;
            } | null;
            initial_files?: components["schemas"]["InitialFile"][] | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            name?: string;
            network_access?: components["schemas"]["NetworkAccess"] | null;
            parallel_tool_calls?: boolean | null;
            parent_harness_id?: string | null;
            system_prompt?: string | null;
            tags?: string[] | null;
            tools?: components["schemas"]["Tool"][] | null;
        };
        HarnessPreview: {
            capabilities?: unknown[] | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            /** @default null */
            parent_harness_id?: string | null;
            /** @default  */
            system_prompt?: string | null;
            tools?: {
                [key: string]: unknown;
            }[] | null;
        };
        Health: {
            auth_mode: string;
            status: string;
            version: string;
        };
        Image: {
            /** @enum {string} */
            content_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
            /** Format: date-time */
            created_at: string;
            filename: string;
            has_thumbnail: boolean;
            height: number;
            id: string;
            metadata: {
                [key: string]: unknown;
            };
            session_id: string | null;
            size_bytes: number;
            width: number;
        };
        ImageFilePart: {
            filename?: string | null;
            image_id: string;
            /** @enum {string} */
            type: "image_file";
        } & {
            [key: string]: unknown;
        };
        ImageList: {
            data: components["schemas"]["Image"][];
            limit: number;
            offset: number;
            total: number;
        };
        ImagePart: {
            base64?: string | null;
            media_type?: string | null;
            /** @enum {string} */
            type: "image";
            url?: string | null;
        } & {
            [key: string]: unknown;
        };
        ImageUpload: {
            /** Format: binary */
            file: string;
            session_id?: string;
        };
        InitialFile: {
            content: string;
            /**
             * @default text
             * @enum {string}
             */
            encoding?: "text" | "base64";
            /** @default false */
            is_readonly?: boolean;
            path: string;
        };
        Invitation: {
            /** Format: date-time */
            created_at: string;
            email: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            organization_id: string;
            /** @enum {string} */
            role: "owner" | "admin" | "member" | "viewer";
        };
        InvitationList: {
            data: components["schemas"]["Invitation"][];
            total: number;
        };
        Limits: {
            context: number;
            input?: number;
            max_media?: number;
            output: number;
        };
        Location: {
            end?: number;
            field: string;
            start?: number;
        };
        Login: {
            email: string;
            password: string;
        };
        Loss: {
            /** Format: date-time */
            at: string;
            error: string;
            place: string | null;
            worker_id: string | null;
        };
        MadeApiKey: {
            agent_id: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            id: string;
            key: string;
            key_prefix: string;
            /** Format: date-time */
            last_used_at: string | null;
            name: string;
            scopes: string[];
        };
        MadeInvitation: {
            /** Format: date-time */
            created_at: string;
            email: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            organization_id: string;
            /** @enum {string} */
            role: "owner" | "admin" | "member" | "viewer";
            token: string;
        };
        MadeWebhook: {
            /** Format: date-time */
            created_at: string;
            description: string | null;
            enabled: boolean;
            events: ("turn.completed" | "turn.failed" | "turn.cancelled" | "turn.sealed" | "turn.waiting")[];
            /**
             * Format: date-time
             * @description When its server answered 410; it is off since
             */
            gone_at: string | null;
            has_secret: boolean;
            id: string;
            /** @description Shown this once */
            secret: string;
            /** Format: date-time */
            updated_at: string;
            url: string;
        };
        McpServer: {
            api_key_set: boolean;
            /** Format: date-time */
            archived_at: string | null;
            auth_mode: string;
            capability_id: string;
            /** Format: date-time */
            created_at: string;
            description: string | null;
            header_names: string[];
            id: string;
            name: string;
            protocol_mode: string;
            /** @enum {string} */
            status: "active" | "disabled" | "archived";
            timeout_seconds: number;
            tools: components["schemas"]["McpToolObject"][] | null;
            /** Format: date-time */
            tools_fetched_at: string | null;
            transport_type: string;
            /** Format: date-time */
            updated_at: string;
            url: string;
        };
        McpServerList: {
            data: components["schemas"]["McpServer"][];
            limit: number;
            offset: number;
            total: number;
        };
        McpServerPatch: {
            api_key?: string | null;
            /** @enum {string|null} */
            auth_mode?: "none" | "api_key" | "o_auth" | null;
            description?: string | null;
            headers?: {
                [key: string]: unknown;
            } | null;
            name?: string;
            /** @enum {string|null} */
            protocol_mode?: "auto" | "legacy" | "stable" | "rc" | null;
            /** @enum {string} */
            status?: "active" | "disabled" | "archived";
            timeout_seconds?: number | null;
            /** @enum {string|null} */
            transport_type?: "http" | "stdio" | "sse" | null;
            url?: string;
        };
        McpToolObject: {
            description: string;
            name: string;
        };
        Me: {
            avatar_url: string | null;
            email: string | null;
            id: string;
            name: string;
            organization_id: string | null;
            roles: string[];
            scopes: string[];
        };
        Member: {
            /** Format: date-time */
            created_at: string;
            email: string;
            id: string;
            /** Format: date-time */
            joined_at: string;
            name: string;
            /** @enum {string} */
            role: "owner" | "admin" | "member" | "viewer";
        };
        MemberList: {
            data: components["schemas"]["Member"][];
            total: number;
        };
        Message: {
            content: {
                [key: string]: unknown;
            }[];
            controls?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            external_actor?: {
                [key: string]: unknown;
            };
            id: string;
            metadata?: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            phase?: "commentary" | "final_answer";
            /** @enum {string} */
            role: "user" | "agent" | "tool" | "tool_result";
            sequence: number;
            session_id: string;
            tags?: string[];
        };
        MessageBody: {
            content: components["schemas"]["ContentPart"][] | string;
            controls?: components["schemas"]["Controls"] | null;
            metadata?: {
                [key: string]: unknown;
            } | null;
            role?: string | null;
        };
        MessageList: {
            data: components["schemas"]["Message"][];
            limit?: number;
            offset?: number;
            total: number;
        };
        Modalities: {
            input: ("text" | "image" | "audio" | "video" | "pdf")[];
            output: ("text" | "image" | "audio" | "video" | "pdf")[];
        };
        Model: {
            capabilities: string[];
            /** Format: date-time */
            created_at: string;
            display_name: string;
            enabled: boolean;
            healthy: boolean;
            id: string;
            is_built_in: boolean;
            is_favorite: boolean;
            model_id: string;
            model_vendor: string | null;
            profile: components["schemas"]["ModelProfile"] | null;
            provider_id: string;
            provider_name: string;
            provider_type: string;
            settings: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            source: "manual" | "discovered" | "predefined";
            /** Format: date-time */
            stale_since: string | null;
            /** Format: date-time */
            updated_at: string;
        };
        ModelList: {
            data: components["schemas"]["Model"][];
            total: number;
        };
        ModelPatch: {
            capabilities?: string[];
            display_name?: string;
            enabled?: boolean;
            is_favorite?: boolean;
            model_id?: string;
            profile?: components["schemas"]["ModelProfile"] | null;
            settings?: {
                [key: string]: unknown;
            } | null;
        };
        ModelProfile: {
            /** @default true */
            attachment?: boolean;
            cost?: components["schemas"]["Cost"];
            description?: string;
            family: string;
            limits?: components["schemas"]["Limits"];
            modalities?: components["schemas"]["Modalities"];
            name: string;
            /** @default false */
            open_weights?: boolean;
            /** @default false */
            reasoning?: boolean;
            reasoning_effort?: components["schemas"]["Effort"];
            /** @default false */
            structured_output?: boolean;
            /** @default true */
            temperature?: boolean;
            /** @default true */
            tool_call?: boolean;
        };
        NetworkAccess: {
            allowed?: string[];
            blocked?: string[];
        };
        NewAgent: {
            capabilities?: (string | {
                config?: Record<string, never>;
                ref: string;
            })[] | null;
            default_model_id?: string | null;
            description?: string | null;
            display_name?: string | null;
            fallback_models?: string[] | null;
            harness_id?: string | null;
            harness_name?: string | null;
            id?: string | null;
            initial_files?: components["schemas"]["InitialFile"][] | null;
            max_iterations?: number | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            name: string;
            network_access?: components["schemas"]["NetworkAccess"] | null;
            parallel_tool_calls?: boolean | null;
            system_prompt: string;
            tags?: string[] | null;
            tools?: components["schemas"]["Tool"][] | null;
        };
        NewApiKey: {
            /** @default null */
            agent_id?: string | null;
            /**
             * @description Never, when it is left out; with the key that makes it at last
             * @default null
             */
            expires_in_days?: number | null;
            name: string;
            /**
             * @description Patterns of scopes: `*`, `sessions:read`, `sessions:*`, `*:read`; everything when it is left out, but for an agent key, which always has `channels:use`
             * @default null
             */
            scopes?: string[] | null;
        };
        NewFile: {
            /** @default null */
            content?: string | null;
            /**
             * @default null
             * @enum {string|null}
             */
            encoding?: "text" | "base64" | null;
            /** @default false */
            is_directory?: boolean | null;
            /** @default false */
            is_readonly?: boolean | null;
        };
        NewFork: {
            /** @default null */
            description?: string | null;
            /** @default null */
            display_name?: string | null;
            name: string;
        };
        NewHarness: {
            capabilities?: (string | {
                config?: Record<string, never>;
                ref: string;
            })[] | null;
            default_model_id?: string | null;
            description?: string | null;
            display_name?: string | null;
            embedder_metadata?: {
                [key: string]: unknown;
            } | null;
            initial_files?: components["schemas"]["InitialFile"][] | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            name: string;
            network_access?: components["schemas"]["NetworkAccess"] | null;
            parallel_tool_calls?: boolean | null;
            parent_harness_id?: string | null;
            system_prompt?: string | null;
            tags?: string[] | null;
            tools?: components["schemas"]["Tool"][] | null;
        };
        NewInvitation: {
            email: string;
            /**
             * @default member
             * @enum {string}
             */
            role?: "owner" | "admin" | "member" | "viewer";
        };
        NewMcpServer: {
            api_key?: string | null;
            /** @enum {string|null} */
            auth_mode?: "none" | "api_key" | "o_auth" | null;
            description?: string | null;
            headers?: {
                [key: string]: unknown;
            } | null;
            name: string;
            /** @enum {string|null} */
            protocol_mode?: "auto" | "legacy" | "stable" | "rc" | null;
            timeout_seconds?: number | null;
            /** @enum {string|null} */
            transport_type?: "http" | "stdio" | "sse" | null;
            url: string;
        };
        NewMessage: {
            controls?: components["schemas"]["Controls"] | null;
            external_actor?: components["schemas"]["Actor"] | null;
            message: components["schemas"]["MessageBody"];
            metadata?: {
                [key: string]: unknown;
            } | null;
            tags?: string[] | null;
        };
        NewModel: {
            capabilities?: string[];
            display_name?: string;
            enabled?: boolean;
            is_favorite?: boolean;
            model_id: string;
            profile?: components["schemas"]["ModelProfile"] | null;
            settings?: {
                [key: string]: unknown;
            } | null;
        };
        NewOrganization: {
            name: string;
        };
        NewProvider: {
            /** Format: password */
            api_key?: string | null;
            base_url?: string | null;
            name: string;
            /** @enum {string} */
            provider_type: "openai" | "openai_completions" | "openrouter" | "azure_openai" | "anthropic" | "llmsim";
            settings?: components["schemas"]["ProviderSettings"] | null;
            /** @enum {string} */
            status?: "active" | "disabled";
        };
        NewSession: {
            agent_id?: string | null;
            agent_name?: string | null;
            capabilities?: (string | {
                config?: Record<string, never>;
                ref: string;
            })[] | null;
            harness_id?: string | null;
            harness_name?: string | null;
            hints?: {
                [key: string]: unknown;
            } | null;
            initial_files?: components["schemas"]["InitialFile"][] | null;
            locale?: string | null;
            max_iterations?: number | null;
            mcpServers?: {
                [key: string]: unknown;
            } | null;
            model_id?: string | null;
            network_access?: components["schemas"]["NetworkAccess"] | null;
            parallel_tool_calls?: boolean | null;
            system_prompt?: string | null;
            tags?: string[] | null;
            title?: string | null;
            tools?: components["schemas"]["Tool"][] | null;
            workspace_id?: string | null;
        };
        NewTask: {
            task_id: string;
            workflow_id: string;
        };
        NewVersion: {
            /** @default null */
            change_kind?: string | null;
            /** @default null */
            summary?: string | null;
        };
        NewWebhook: {
            description?: string | null;
            enabled?: boolean;
            events?: ("turn.completed" | "turn.failed" | "turn.cancelled" | "turn.sealed" | "turn.waiting")[] | null;
            url: string;
        };
        NewWorkspace: {
            /** @default null */
            description?: string | null;
            name: string;
        };
        OpenLogin: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            is_current: boolean;
            /** Format: date-time */
            refreshed_at: string;
            user_agent: string | null;
        };
        OpenLoginList: {
            data: components["schemas"]["OpenLogin"][];
            total: number;
        };
        Organization: {
            base_harness_id: string | null;
            /** Format: date-time */
            created_at: string;
            default_harness_id: string | null;
            default_model_id: string | null;
            default_provider_per_service: {
                [key: string]: unknown;
            };
            id: string;
            name: string;
            /** Format: date-time */
            onboarding_completed_at: string | null;
            /** Format: date-time */
            updated_at: string;
        };
        OrganizationList: {
            data: components["schemas"]["Organization"][];
            total: number;
        };
        OrganizationPatch: {
            default_model_id?: string | null;
            name?: string;
        };
        PasswordChange: {
            current_password: string;
            new_password: string;
        };
        PendingCall: {
            arguments: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            deadline: string;
            name: string;
            /** Format: date-time */
            requested_at: string;
            tool_call_id: string;
        };
        Policies: {
            policies: {
                [key: string]: boolean;
            };
        };
        PreviewAnswer: {
            findings: components["schemas"]["Finding"][];
            system_prompt: string;
            tools: {
                [key: string]: unknown;
            }[];
        };
        Problem: {
            field: string;
            message: string;
        };
        Provider: {
            api_key_set: boolean;
            base_url: string | null;
            /** Format: date-time */
            created_at: string;
            header_names: string[];
            id: string;
            is_built_in: boolean;
            /** Format: date-time */
            last_synced_at: string | null;
            name: string;
            provider_type: string;
            settings: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "active" | "disabled";
            /** Format: date-time */
            updated_at: string;
        };
        ProviderConfig: {
            drivers: components["schemas"]["Driver"][];
            policies: {
                [key: string]: boolean;
            };
        };
        ProviderList: {
            data: components["schemas"]["Provider"][];
            total: number;
        };
        ProviderPatch: {
            /** Format: password */
            api_key?: string | null;
            base_url?: string | null;
            name?: string;
            /** @enum {string} */
            provider_type?: "openai" | "openai_completions" | "openrouter" | "azure_openai" | "anthropic" | "llmsim";
            settings?: components["schemas"]["ProviderSettings"] | null;
            /** @enum {string} */
            status?: "active" | "disabled";
        };
        ProviderSettings: {
            api_version?: string;
            connect_timeout_seconds?: number;
            headers?: {
                [key: string]: string;
            };
            organization?: string;
            project?: string;
            read_timeout_seconds?: number;
        };
        Readiness: {
            dependencies: {
                [key: string]: string;
            };
            status: string;
        };
        Reasoning: {
            effort?: string | null;
        } & {
            [key: string]: unknown;
        };
        Refresh: {
            /** @default null */
            refresh_token?: string | null;
        };
        Registration: {
            email: string;
            /** @default null */
            invitation_token?: string | null;
            name: string;
            /** @description At least 12 characters, of which one is a digit */
            password: string;
        };
        ResourceStats: {
            active_session_count: number;
            avg_session_duration_ms: number | null;
            execution_count: number;
            /** Format: date-time */
            first_session_at: string | null;
            idle_session_count: number;
            /** Format: date-time */
            last_execution_at: string | null;
            /** Format: date-time */
            last_session_at: string | null;
            session_count: number;
            started_session_count: number;
            total_cache_creation_tokens: number;
            total_cache_read_tokens: number;
            total_input_tokens: number;
            total_output_tokens: number;
            total_session_duration_ms: number;
            waiting_for_tool_results_session_count: number;
        };
        Retry: {
            /** Format: date-time */
            retried_at: string;
            retried_by: string;
            task_id: string;
            workflow_id: string;
        };
        Role: {
            /** @enum {string} */
            role: "owner" | "admin" | "member" | "viewer";
        };
        Rollback: {
            /** @default null */
            save_version?: boolean | null;
            /** @default null */
            summary?: string | null;
        };
        SecretName: {
            /** Format: date-time */
            created_at: string;
            name: string;
            /** Format: date-time */
            updated_at: string;
        };
        SecretNameList: {
            data: components["schemas"]["SecretName"][];
            total: number;
        };
        Secrets: {
            secrets: {
                [key: string]: unknown;
            };
        };
        ServiceHealth: {
            active_workers: number;
            claimed_tasks: number;
            /** @description of the last hour */
            completed_tasks: number;
            completed_workflows: number;
            current_load: number;
            dlq_size: number;
            /** @description of the last hour */
            failed_tasks: number;
            failed_workflows: number;
            load_percentage: number;
            oldest_pending_seconds: number;
            pending_tasks: number;
            pending_workflows: number;
            running_workflows: number;
            /** @description of the last hour */
            started_tasks: number;
            started_workflows: number;
            /** @enum {string} */
            status: "healthy" | "degraded" | "unhealthy";
            total_capacity: number;
            total_workers: number;
            workers_accepting: number;
        };
        Session: {
            active_schedule_count: number;
            agent_id: string | null;
            agent_version_id: string | null;
            capabilities: components["schemas"]["CapabilityObject"][];
            /** Format: date-time */
            created_at: string;
            features: string[];
            /** Format: date-time */
            finished_at: string | null;
            forked_from_sequence: number | null;
            forked_from_session_id: string | null;
            harness_id: string;
            hints: {
                [key: string]: unknown;
            } | null;
            id: string;
            initial_files: {
                [key: string]: unknown;
            }[];
            is_pinned: boolean;
            locale: string | null;
            max_iterations: number | null;
            mcpServers: {
                [key: string]: unknown;
            };
            model_id: string | null;
            network_access: {
                [key: string]: unknown;
            } | null;
            organization_id: string;
            output_preview: string | null;
            owner_principal_id: string;
            parallel_tool_calls: boolean | null;
            parent_session_id: string | null;
            pending_approvals: components["schemas"]["PendingCall"][];
            pending_tool_calls: components["schemas"]["PendingCall"][];
            preview: string | null;
            /** Format: date-time */
            started_at: string | null;
            /** @enum {string} */
            status: "started" | "active" | "idle" | "waitingfortoolresults";
            system_prompt: string | null;
            tags: string[];
            title: string | null;
            tools: {
                [key: string]: unknown;
            }[];
            /** Format: date-time */
            updated_at: string;
            usage: components["schemas"]["Usage"];
            workspace_id: string;
        };
        SessionFile: {
            content: string | null;
            content_hash: string | null;
            /** Format: date-time */
            created_at: string;
            /** @enum {string|null} */
            encoding: "text" | "base64" | null;
            id: string;
            is_directory: boolean;
            is_readonly: boolean;
            name: string;
            path: string;
            session_id: string;
            size_bytes: number;
            /** Format: date-time */
            updated_at: string;
        };
        SessionList: {
            data: components["schemas"]["Session"][];
            limit: number;
            offset: number;
            total: number;
        };
        SessionPatch: {
            locale?: string | null;
            model_id?: string | null;
            tags?: string[] | null;
            title?: string | null;
        };
        SessionStats: {
            active: number;
            idle: number;
            started: number;
            total: number;
            waiting_for_tool_results: number;
        };
        Stat: {
            path: string;
        };
        StoredValue: {
            /** Format: date-time */
            created_at: string;
            key: string;
            /** Format: date-time */
            updated_at: string;
            value: string;
        };
        StoredValueList: {
            data: components["schemas"]["StoredValue"][];
            total: number;
        };
        Switch: {
            organization_id: string;
        };
        Sync: {
            created?: number;
            stale?: number;
            /** @enum {string} */
            status: "success" | "not_supported";
            updated?: number;
        };
        Task: {
            activity_id: string;
            activity_type: string;
            attempt: number;
            claimed_by: string | null;
            /** Format: date-time */
            created_at: string;
            id: string;
            last_error: string | null;
            max_attempts: number;
            priority: number;
            /** @enum {string} */
            status: "pending" | "claimed" | "completed" | "failed" | "dead" | "cancelled";
            workflow_id: string;
        };
        TaskList: {
            data: components["schemas"]["Task"][];
            limit: number;
            offset: number;
            total: number;
        };
        TextPart: {
            text: string;
            /** @enum {string} */
            type: "text";
        } & {
            [key: string]: unknown;
        };
        Tokens: {
            access_token: string;
            expires_in: number;
            refresh_token: string;
            /** @enum {string} */
            token_type: "Bearer";
        };
        Tool: {
            /** @default  */
            description?: string;
            name: string;
            parameters?: {
                [key: string]: unknown;
            };
            /** @enum {string|null} */
            policy?: "auto" | "requires_approval" | "client_side" | null;
            /** @default client_side */
            type?: string;
        } & {
            [key: string]: unknown;
        };
        ToolResult: {
            error?: string | null;
            /** @description Any JSON value */
            result?: unknown;
            tool_call_id: string;
        };
        ToolResults: {
            tool_results: components["schemas"]["ToolResult"][];
        };
        ToolResultsAnswer: {
            accepted: number;
            /** @enum {string} */
            status: "active" | "waitingfortoolresults";
        };
        Transfer: {
            dst_path: string;
            src_path: string;
        };
        TypeCount: {
            count: number;
            event_type: string;
        };
        Usage: {
            input_tokens: number;
            output_tokens: number;
        };
        User: {
            /** Format: date-time */
            created_at: string;
            email: string;
            id: string;
            name: string;
        };
        UserExport: {
            logins: {
                [key: string]: unknown;
            }[];
            memberships: {
                [key: string]: unknown;
            }[];
            user: components["schemas"]["User"];
        };
        UserPatch: {
            name?: string;
        };
        Webhook: {
            /** Format: date-time */
            created_at: string;
            description: string | null;
            enabled: boolean;
            events: ("turn.completed" | "turn.failed" | "turn.cancelled" | "turn.sealed" | "turn.waiting")[];
            /**
             * Format: date-time
             * @description When its server answered 410; it is off since
             */
            gone_at: string | null;
            has_secret: boolean;
            id: string;
            /** Format: date-time */
            updated_at: string;
            url: string;
        };
        WebhookList: {
            data: components["schemas"]["Webhook"][];
            limit: number;
            offset: number;
            total: number;
        };
        WebhookPatch: {
            description?: string | null;
            enabled?: boolean;
            events?: ("turn.completed" | "turn.failed" | "turn.cancelled" | "turn.sealed" | "turn.waiting")[] | null;
            url?: string;
        };
        Worker: {
            accepting_tasks: boolean;
            activity_types: string[];
            /** @description silent, draining, stopped or at_capacity; null when accepting */
            backpressure_reason: string | null;
            current_load: number;
            hostname: string;
            id: string;
            /** Format: date-time */
            last_heartbeat_at: string;
            max_concurrency: number;
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            started_at: string;
            /** @enum {string} */
            status: "active" | "draining" | "stopped";
            tasks_completed: number;
            tasks_failed: number;
            version: string;
            worker_group: string;
        };
        WorkerList: {
            data: components["schemas"]["Worker"][];
            summary: components["schemas"]["WorkerSummary"];
            total: number;
        };
        WorkerSummary: {
            active: number;
            draining: number;
            stopped: number;
            total_capacity: number;
            total_load: number;
        };
        Workflow: {
            /** Format: date-time */
            completed_at: string | null;
            /** Format: date-time */
            created_at: string;
            error: string | null;
            id: string;
            /** @description where the message stands */
            input: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            started_at: string | null;
            /** @enum {string} */
            status: "pending" | "running" | "completed" | "failed" | "cancelled";
            /** @enum {string} */
            turn_status: "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled" | "sealed";
            workflow_type: string;
        };
        WorkflowEvent: {
            /** Format: date-time */
            created_at: string;
            event_data: {
                [key: string]: unknown;
            };
            event_type: string;
            id: string;
            sequence_num: number;
            workflow_id: string;
        };
        WorkflowEventList: {
            data: components["schemas"]["WorkflowEvent"][];
        };
        WorkflowList: {
            data: components["schemas"]["Workflow"][];
            limit: number;
            offset: number;
            total: number;
        };
        Workspace: {
            /** Format: date-time */
            archived_at: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            deleted_at: string | null;
            description: string | null;
            id: string;
            name: string;
            /** @enum {string} */
            status: "active" | "archived";
            /** Format: date-time */
            updated_at: string;
        };
        WorkspaceList: {
            data: components["schemas"]["Workspace"][];
            total: number;
        };
        WorkspacePatch: {
            description?: string | null;
            name?: string;
            /** @enum {string} */
            status?: "active" | "archived";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    list_agents: {
        parameters: {
            query?: {
                include_archived?: boolean;
                limit?: number;
                offset?: number;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentList"];
                };
            };
        };
    };
    create_agent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAgent"];
            };
        };
        responses: {
            /** @description An existing agent was replaced */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    get_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    replace_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAgent"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description The agent was created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    archive_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AgentPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    copy_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    delete_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    export_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/markdown": string;
                };
            };
        };
    };
    count_agent_use: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResourceStats"];
                };
            };
        };
    };
    list_versions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentVersion"][];
                };
            };
        };
    };
    create_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewVersion"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentVersion"];
                };
            };
        };
    };
    diff_versions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
                from_id: string;
                to_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Diff"];
                };
            };
        };
    };
    fork_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
                version_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewFork"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    rollback_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
                version_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Rollback"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    set_default_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DefaultVersion"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    analyze_agent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Draft"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Analysis"];
                };
            };
        };
    };
    check_name: {
        parameters: {
            query: {
                exclude_id?: string | null;
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Available"];
                };
            };
        };
    };
    show_policies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policies"];
                };
            };
        };
    };
    import_agent: {
        parameters: {
            query?: {
                "from-example"?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "text/markdown": string;
                "text/plain": string;
            };
        };
        responses: {
            /** @description An existing agent was replaced */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
        };
    };
    preview_agent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AgentPreview"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreviewAnswer"];
                };
            };
        };
    };
    read_audit_log: {
        parameters: {
            query?: {
                /** @description An operation of this document */
                action?: string;
                /** @description A user, key or agent by its id, or a type of actor */
                actor?: string;
                /** @description True: what belongs to no organization; for the operator */
                installation?: boolean;
                limit?: number;
                outcome?: "done" | "refused" | "failed";
                page_token?: unknown;
                resource_id?: string;
                resource_type?: string;
                since?: string;
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditLog"];
                };
            };
        };
    };
    list_api_keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyList"];
                };
            };
        };
    };
    create_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApiKey"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeApiKey"];
                };
            };
        };
    };
    revoke_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    show_auth_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthConfig"];
                };
            };
        };
    };
    accept_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Acceptance"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
        };
    };
    log_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Login"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    list_logins: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenLoginList"];
                };
            };
        };
    };
    end_login: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                login_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    log_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Refresh"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    show_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Refresh"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Registration"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    find_capabilities: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CapabilityList"];
                };
            };
        };
    };
    get_capability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                capability_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Capability"];
                };
            };
        };
    };
    list_guardrail_examples: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GuardrailExamples"];
                };
            };
        };
    };
    get_card: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Card"];
                };
            };
        };
    };
    create_runtime_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string;
                };
            };
        };
    };
    list_channel_sessions: {
        parameters: {
            query?: {
                limit?: number;
                page_token?: unknown;
            };
            header?: never;
            path: {
                channel: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelSessionList"];
                };
            };
        };
    };
    create_channel_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChannelSession"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelSessionView"];
                };
            };
        };
    };
    get_channel_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelSessionView"];
                };
            };
        };
    };
    channel_cancel_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancel"];
                };
            };
        };
    };
    channel_list_events: {
        parameters: {
            query?: {
                after_sequence?: number | null;
                around?: string | null;
                before_sequence?: number | null;
                exclude?: string[];
                exec_id?: string | null;
                from_ts?: string | null;
                limit?: number | null;
                order_desc?: boolean;
                q?: string | null;
                since_id?: string | null;
                tags?: string[];
                to_ts?: string | null;
                tool_name?: string | null;
                trace_id?: string | null;
                turn_id?: string | null;
                types?: string[];
                window?: number;
            };
            header?: never;
            path: {
                channel: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
        };
    };
    create_channel_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMessage"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelMessage"];
                };
            };
        };
    };
    answer_questions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string;
                };
            };
        };
    };
    channel_stream_events: {
        parameters: {
            query?: {
                accumulated?: boolean;
                after_sequence?: number;
                dialect?: "seed" | "sdk";
                exclude?: string[];
                since_id?: string;
                start?: "turn" | "live" | "all";
                types?: string[];
            };
            header?: never;
            path: {
                channel: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    channel_decide_tool_calls: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CallDecisions"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionsAnswer"];
                };
            };
        };
    };
    list_circuit_breakers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CircuitBreakerList"];
                };
            };
        };
    };
    get_circuit_breaker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CircuitBreaker"];
                };
            };
        };
    };
    delete_circuit_breaker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    close_circuit_breaker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CircuitBreaker"];
                };
            };
        };
    };
    open_circuit_breaker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CircuitBreaker"];
                };
            };
        };
    };
    show_durable_policies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policies"];
                };
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                activity_type?: string | null;
                limit?: number;
                offset?: number;
                workflow_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterList"];
                };
            };
        };
    };
    get_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entry_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetter"];
                };
            };
        };
    };
    retry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entry_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewTask"];
                };
            };
        };
    };
    show_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceHealth"];
                };
            };
        };
    };
    stream_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    list_tasks: {
        parameters: {
            query?: {
                activity_type?: string | null;
                limit?: number;
                offset?: number;
                status?: "pending" | "claimed" | "completed" | "failed" | "dead" | "cancelled" | null;
                workflow_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskList"];
                };
            };
        };
    };
    list_workers: {
        parameters: {
            query?: {
                status?: "active" | "draining" | "stopped" | null;
                worker_group?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkerList"];
                };
            };
        };
    };
    drain_worker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                worker_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
        };
    };
    resume_worker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                worker_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
        };
    };
    list_workflows: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
                status?: "pending" | "running" | "completed" | "failed" | "cancelled" | null;
                workflow_type?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowList"];
                };
            };
        };
    };
    get_workflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workflow_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
        };
    };
    cancel_workflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workflow_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancel"];
                };
            };
        };
    };
    get_workflow_events: {
        parameters: {
            query?: {
                after_sequence?: number;
                limit?: number;
            };
            header?: never;
            path: {
                workflow_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowEventList"];
                };
            };
        };
    };
    stream_workflow: {
        parameters: {
            query?: {
                after_sequence?: number;
                since_id?: string;
            };
            header?: never;
            path: {
                workflow_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    list_harness_examples: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HarnessExample"][];
                };
            };
        };
    };
    list_harnesses: {
        parameters: {
            query?: {
                include_archived?: boolean;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HarnessList"];
                };
            };
        };
    };
    create_harness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewHarness"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Harness"];
                };
            };
        };
    };
    get_harness: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                harness: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Harness"];
                };
            };
        };
    };
    archive_harness: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                harness: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_harness: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                harness: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["HarnessPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Harness"];
                };
            };
        };
    };
    copy_harness: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                harness: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Harness"];
                };
            };
        };
    };
    count_harness_use: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                harness: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResourceStats"];
                };
            };
        };
    };
    check_harness_name: {
        parameters: {
            query: {
                exclude_id?: string | null;
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Available"];
                };
            };
        };
    };
    show_harness_policies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policies"];
                };
            };
        };
    };
    import_harness: {
        parameters: {
            query: {
                "from-example": string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Harness"];
                };
            };
        };
    };
    preview_harness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["HarnessPreview"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreviewAnswer"];
                };
            };
        };
    };
    list_images: {
        parameters: {
            query?: {
                /** @description At most 100. */
                limit?: number;
                offset?: number;
                session_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageList"];
                };
            };
        };
    };
    upload_image: {
        parameters: {
            query?: {
                session_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["ImageUpload"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
        };
    };
    download_image: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": string;
                };
            };
            /** @description A range of it */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": string;
                };
            };
        };
    };
    delete_image: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_image_info: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
        };
    };
    get_thumbnail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": string;
                };
            };
            /** @description A range of it */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": string;
                };
            };
        };
    };
    list_mcp_servers: {
        parameters: {
            query?: {
                include_archived?: boolean;
                limit?: number;
                offset?: number;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServerList"];
                };
            };
        };
    };
    create_mcp_server: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMcpServer"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServer"];
                };
            };
        };
    };
    get_mcp_server: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                server_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServer"];
                };
            };
        };
    };
    delete_mcp_server: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                server_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    change_mcp_server: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                server_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["McpServerPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServer"];
                };
            };
        };
    };
    refresh_mcp_server: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                server_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServer"];
                };
            };
        };
    };
    show_mcp_policies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policies"];
                };
            };
        };
    };
    list_models: {
        parameters: {
            query?: {
                favorites_only?: boolean;
                include_stale?: boolean;
                source?: "manual" | "discovered" | "predefined" | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
        };
    };
    get_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Model"];
                };
            };
        };
    };
    delete_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ModelPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Model"];
                };
            };
        };
    };
    show_model_policies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policies"];
                };
            };
        };
    };
    list_organizations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationList"];
                };
            };
        };
    };
    create_organization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewOrganization"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
        };
    };
    get_organization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
        };
    };
    update_organization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OrganizationPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
        };
    };
    list_invitations: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationList"];
                };
            };
        };
    };
    invite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewInvitation"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeInvitation"];
                };
            };
        };
    };
    withdraw_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitation_id: string;
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    leave_organization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_members: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberList"];
                };
            };
        };
    };
    remove_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    change_role: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Role"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_providers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderList"];
                };
            };
        };
    };
    create_provider: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProvider"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Provider"];
                };
            };
        };
    };
    get_provider: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Provider"];
                };
            };
        };
    };
    delete_provider: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_provider: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ProviderPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Provider"];
                };
            };
        };
    };
    list_provider_models: {
        parameters: {
            query?: {
                favorites_only?: boolean;
                include_stale?: boolean;
                source?: "manual" | "discovered" | "predefined" | null;
            };
            header?: never;
            path: {
                provider_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
        };
    };
    add_provider_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewModel"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Model"];
                };
            };
        };
    };
    sync_provider_models: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sync"];
                };
            };
        };
    };
    show_provider_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderConfig"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                agent_id?: string | null;
                limit?: number;
                offset?: number;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
        };
    };
    create_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewSession"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    get_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SessionPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    cancel_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancel"];
                };
            };
        };
    };
    diagnose_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Diagnosis"];
                };
            };
        };
    };
    list_events: {
        parameters: {
            query?: {
                after_sequence?: number | null;
                around?: string | null;
                before_sequence?: number | null;
                exclude?: string[];
                exec_id?: string | null;
                from_ts?: string | null;
                limit?: number | null;
                order_desc?: boolean;
                q?: string | null;
                since_id?: string | null;
                tags?: string[];
                to_ts?: string | null;
                tool_name?: string | null;
                trace_id?: string | null;
                turn_id?: string | null;
                types?: string[];
                window?: number;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
        };
    };
    summarize_events: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventSummary"];
                };
            };
        };
    };
    export_session: {
        parameters: {
            query?: {
                format?: "jsonl" | "ndjson" | "atif";
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
        };
    };
    fork: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Fork"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    list_session_root: {
        parameters: {
            query?: {
                recursive?: boolean;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileInfoList"];
                };
            };
        };
    };
    copy_session_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Transfer"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    download_session_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
        };
    };
    grep_session_files: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Grep"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrepResultList"];
                };
            };
        };
    };
    move_session_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Transfer"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    preview_session_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    stat_session_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Stat"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileStat"];
                };
            };
        };
    };
    read_session_file: {
        parameters: {
            query?: {
                recursive?: boolean;
            };
            header?: never;
            path: {
                file: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileOrList"];
                };
            };
        };
    };
    put_session_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FileContent"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    create_session_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewFile"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    delete_session_file: {
        parameters: {
            query?: {
                recursive?: boolean;
            };
            header?: never;
            path: {
                file: string;
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    list_messages: {
        parameters: {
            query?: {
                after_sequence?: number | null;
                before_sequence?: number | null;
                limit?: number | null;
                offset?: number | null;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageList"];
                };
            };
        };
    };
    create_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMessage"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
        };
    };
    pin: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    unpin: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    stream_events: {
        parameters: {
            query?: {
                accumulated?: boolean;
                after_sequence?: number;
                dialect?: "seed" | "sdk";
                exclude?: string[];
                since_id?: string;
                start?: "turn" | "live" | "all";
                types?: string[];
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    list_values: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredValueList"];
                };
            };
        };
    };
    list_secrets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretNameList"];
                };
            };
        };
    };
    set_secrets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Secrets"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Count"];
                };
            };
        };
    };
    decide_tool_calls: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CallDecisions"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionsAnswer"];
                };
            };
        };
    };
    create_tool_results: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ToolResults"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolResultsAnswer"];
                };
            };
        };
    };
    open_chat_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Chat"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    count_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionStats"];
                };
            };
        };
    };
    list_webhooks: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookList"];
                };
            };
        };
    };
    create_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWebhook"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeWebhook"];
                };
            };
        };
    };
    get_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                webhook_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    delete_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                webhook_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    change_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                webhook_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["WebhookPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    list_deliveries: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
                search?: string | null;
                status?: "pending" | "delivered" | "dead" | null;
            };
            header?: never;
            path: {
                webhook_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryList"];
                };
            };
        };
    };
    retry_delivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                delivery_id: string;
                webhook_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
        };
    };
    list_users: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberList"];
                };
            };
        };
    };
    delete_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["UserPatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
        };
    };
    export_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserExport"];
                };
            };
        };
    };
    switch_organization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Switch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
        };
    };
    list_workspaces: {
        parameters: {
            query?: {
                include_archived?: boolean;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkspaceList"];
                };
            };
        };
    };
    create_workspace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWorkspace"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"];
                };
            };
        };
    };
    get_workspace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"];
                };
            };
        };
    };
    archive_workspace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_workspace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["WorkspacePatch"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"];
                };
            };
        };
    };
    delete_workspace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_workspace_root: {
        parameters: {
            query?: {
                recursive?: boolean;
            };
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileInfoList"];
                };
            };
        };
    };
    copy_workspace_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Transfer"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    download_workspace_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
        };
    };
    grep_workspace_files: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Grep"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrepResultList"];
                };
            };
        };
    };
    move_workspace_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Transfer"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    preview_workspace_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    stat_workspace_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Stat"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileStat"];
                };
            };
        };
    };
    read_workspace_file: {
        parameters: {
            query?: {
                recursive?: boolean;
            };
            header?: never;
            path: {
                file: string;
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileOrList"];
                };
            };
        };
    };
    put_workspace_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FileContent"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    create_workspace_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewFile"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionFile"];
                };
            };
        };
    };
    delete_workspace_file: {
        parameters: {
            query?: {
                recursive?: boolean;
            };
            header?: never;
            path: {
                file: string;
                workspace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
}
