import type { SessionEvent } from '../events.js';
import type { CallDecision, Message, NewSession, Session, ToolResult } from '../models.js';
import { byOffset, Pages } from '../pages.js';
import type { Api, BodyOf, QueryOf, ReplyOf } from '../routes.js';
import { type RunOptions, type RunResult, run } from '../run.js';
import { EventStream, type StreamOptions } from '../stream.js';
import type { RequestOptions } from '../transport.js';

type SessionList = ReplyOf<'GET /v1/sessions'>;
type EventQuery = QueryOf<'GET /v1/sessions/{session_id}/events'>;
type EventList = { data: SessionEvent[]; total: number };

const PAGE = 1000;

/** Conversations with an agent. */
export class Sessions {
  readonly events: Events;
  readonly storage: SessionStorage;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.events = new Events(api);
    this.storage = new SessionStorage(api);
  }

  create(body: NewSession = {}, options?: RequestOptions): Promise<Session> {
    return this.#api.call('POST /v1/sessions', { body }, options);
  }

  list(query?: QueryOf<'GET /v1/sessions'>, options?: RequestOptions): Pages<Session, SessionList> {
    return byOffset(query, (page) => this.#api.call('GET /v1/sessions', { query: page }, options));
  }

  get(sessionId: string, options?: RequestOptions): Promise<Session> {
    return this.#api.call(
      'GET /v1/sessions/{session_id}',
      { path: { session_id: sessionId } },
      options,
    );
  }

  update(
    sessionId: string,
    body: BodyOf<'PATCH /v1/sessions/{session_id}'>,
    options?: RequestOptions,
  ): Promise<Session> {
    const path = { session_id: sessionId };
    return this.#api.call('PATCH /v1/sessions/{session_id}', { path, body }, options);
  }

  async delete(sessionId: string, options?: RequestOptions): Promise<void> {
    const path = { session_id: sessionId };
    await this.#api.call('DELETE /v1/sessions/{session_id}', { path }, options);
  }

  /** The caller's one session for chatting, made when there is none. */
  chat(body: BodyOf<'POST /v1/sessions/chat'> = {}, options?: RequestOptions): Promise<Session> {
    return this.#api.call('POST /v1/sessions/chat', { body }, options);
  }

  /** How many sessions there are in each status. */
  stats(options?: RequestOptions) {
    return this.#api.call('GET /v1/sessions/stats', {}, options);
  }

  /** Why it does not go on, or that there is nothing to do. */
  diagnosis(sessionId: string, options?: RequestOptions) {
    const path = { session_id: sessionId };
    return this.#api.call('GET /v1/sessions/{session_id}/diagnosis', { path }, options);
  }

  /** Stop the turn that runs; `no_op` when there is none. */
  cancel(sessionId: string, options?: RequestOptions) {
    const path = { session_id: sessionId };
    return this.#api.call('POST /v1/sessions/{session_id}/cancel', { path }, options);
  }

  /** Another session that begins with all that was said in this one. */
  fork(
    sessionId: string,
    body: BodyOf<'POST /v1/sessions/{session_id}/fork'> = {},
    options?: RequestOptions,
  ): Promise<Session> {
    const path = { session_id: sessionId };
    return this.#api.call('POST /v1/sessions/{session_id}/fork', { path, body }, options);
  }

  async pin(sessionId: string, options?: RequestOptions): Promise<void> {
    const path = { session_id: sessionId };
    await this.#api.call('PUT /v1/sessions/{session_id}/pin', { path }, options);
  }

  async unpin(sessionId: string, options?: RequestOptions): Promise<void> {
    const path = { session_id: sessionId };
    await this.#api.call('DELETE /v1/sessions/{session_id}/pin', { path }, options);
  }

  /** The messages, one JSON object a line. */
  export(sessionId: string, options?: RequestOptions): Promise<string> {
    const path = { session_id: sessionId };
    return this.#api.text('GET /v1/sessions/{session_id}/export', { path }, options);
  }

  /** The session's events as they happen; see `EventStream`. */
  streamEvents(sessionId: string, options?: StreamOptions): EventStream {
    const path = `/v1/sessions/${encodeURIComponent(sessionId)}/sse`;
    return new EventStream(this.#api.transport, path, options);
  }

  /** The results of tools that this client has run. */
  submitToolResults(sessionId: string, results: ToolResult[], options?: RequestOptions) {
    const input = { path: { session_id: sessionId }, body: { tool_results: results } };
    return this.#api.call('POST /v1/sessions/{session_id}/tool-results', input, options);
  }

  /** Whether calls that wait for a person may be made. */
  decideToolCalls(sessionId: string, decisions: CallDecision[], options?: RequestOptions) {
    const input = { path: { session_id: sessionId }, body: { decisions } };
    return this.#api.call('POST /v1/sessions/{session_id}/tool-approvals', input, options);
  }

  /**
   * Say something and wait for the answer, running client-side tools on the way.
   *
   * @throws EverrunsTurnError when the turn ended otherwise than with an answer.
   */
  run(sessionId: string, options: RunOptions): Promise<RunResult> {
    const path = { session_id: sessionId };
    const port = {
      sessionId,
      say: (body: BodyOf<'POST /v1/sessions/{session_id}/messages'>, signal?: AbortSignal) =>
        this.#api.call(
          'POST /v1/sessions/{session_id}/messages',
          { path, body },
          signal && { signal },
        ) as unknown as Promise<Message>,
      watch: (query: StreamOptions) => this.streamEvents(sessionId, query),
      submit: (result: ToolResult, signal: AbortSignal) =>
        this.submitToolResults(sessionId, [result], { signal }),
      decide: (decision: CallDecision, signal: AbortSignal) =>
        this.decideToolCalls(sessionId, [decision], { signal }),
    };
    return run(port, options);
  }
}

/** What happened in a session, from its log. */
export class Events {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Without a cursor the last `limit` events; with `after_sequence` or `since_id` the first
   * after it, and `for await` goes on to the newest.
   */
  list(
    sessionId: string,
    query: EventQuery = {},
    options?: RequestOptions,
  ): Pages<SessionEvent, EventList> {
    const path = { session_id: sessionId };
    const isForward = query.after_sequence != null || query.since_id != null;
    return new Pages(async (before) => {
      const last = before?.data.at(-1)?.sequence;
      if (before !== undefined && (!isForward || last === undefined)) return undefined;
      const { since_id, ...rest } = query;
      const from = before === undefined ? { since_id } : { after_sequence: last as number };
      const page = { limit: PAGE, ...rest, ...from };
      const route = 'GET /v1/sessions/{session_id}/events';
      return (await this.#api.call(route, { path, query: page }, options)) as unknown as EventList;
    });
  }

  /** How many there are of each type. */
  summary(sessionId: string, options?: RequestOptions) {
    const path = { session_id: sessionId };
    return this.#api.call('GET /v1/sessions/{session_id}/events/summary', { path }, options);
  }
}

/** What a session's tools keep beside its files. */
export class SessionStorage {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  keys(sessionId: string, options?: RequestOptions) {
    const path = { session_id: sessionId };
    return this.#api.call('GET /v1/sessions/{session_id}/storage/keys', { path }, options);
  }

  /** The names of the secrets; their values never come back. */
  secrets(sessionId: string, options?: RequestOptions) {
    const path = { session_id: sessionId };
    return this.#api.call('GET /v1/sessions/{session_id}/storage/secrets', { path }, options);
  }

  setSecrets(sessionId: string, secrets: Record<string, string>, options?: RequestOptions) {
    const input = { path: { session_id: sessionId }, body: { secrets } };
    return this.#api.call('PUT /v1/sessions/{session_id}/storage/secrets', input, options);
  }
}
