import type { CallDecision } from '../models.js';
import type { Api, BodyOf, QueryOf } from '../routes.js';
import { EventStream, type StreamOptions } from '../stream.js';
import type { RequestOptions } from '../transport.js';

/** One agent as its users see it: their own sessions and nothing else. */
export class Channels {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** What the agent is and takes.  A channel is an agent's id or name. */
  card(channel: string, options?: RequestOptions) {
    return this.#api.call('GET /v1/channels/{channel}', { path: { channel } }, options);
  }

  listSessions(
    channel: string,
    query?: QueryOf<'GET /v1/channels/{channel}/sessions'>,
    options?: RequestOptions,
  ) {
    const path = { channel };
    return this.#api.call('GET /v1/channels/{channel}/sessions', { path, query }, options);
  }

  createSession(
    channel: string,
    body: BodyOf<'POST /v1/channels/{channel}/sessions'> = {},
    options?: RequestOptions,
  ) {
    const path = { channel };
    return this.#api.call('POST /v1/channels/{channel}/sessions', { path, body }, options);
  }

  getSession(channel: string, sessionId: string, options?: RequestOptions) {
    const path = { channel, session_id: sessionId };
    return this.#api.call('GET /v1/channels/{channel}/sessions/{session_id}', { path }, options);
  }

  createMessage(
    channel: string,
    sessionId: string,
    body: BodyOf<'POST /v1/channels/{channel}/sessions/{session_id}/messages'>,
    options?: RequestOptions,
  ) {
    const path = { channel, session_id: sessionId };
    return this.#api.call(
      'POST /v1/channels/{channel}/sessions/{session_id}/messages',
      { path, body },
      options,
    );
  }

  cancel(channel: string, sessionId: string, options?: RequestOptions) {
    const path = { channel, session_id: sessionId };
    return this.#api.call(
      'POST /v1/channels/{channel}/sessions/{session_id}/cancel',
      { path },
      options,
    );
  }

  listEvents(
    channel: string,
    sessionId: string,
    query?: QueryOf<'GET /v1/channels/{channel}/sessions/{session_id}/events'>,
    options?: RequestOptions,
  ) {
    const path = { channel, session_id: sessionId };
    return this.#api.call(
      'GET /v1/channels/{channel}/sessions/{session_id}/events',
      { path, query },
      options,
    );
  }

  streamEvents(channel: string, sessionId: string, options?: StreamOptions): EventStream {
    const [agent, session] = [encodeURIComponent(channel), encodeURIComponent(sessionId)];
    const path = `/v1/channels/${agent}/sessions/${session}/sse`;
    return new EventStream(this.#api.transport, path, options);
  }

  decideToolCalls(
    channel: string,
    sessionId: string,
    decisions: CallDecision[],
    options?: RequestOptions,
  ) {
    const input = { path: { channel, session_id: sessionId }, body: { decisions } };
    return this.#api.call(
      'POST /v1/channels/{channel}/sessions/{session_id}/tool-approvals',
      input,
      options,
    );
  }
}
