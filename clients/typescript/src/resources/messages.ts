import type { Message, MessageList, NewMessage } from '../models.js';
import { Pages } from '../pages.js';
import type { Api, QueryOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

type MessageQuery = QueryOf<'GET /v1/sessions/{session_id}/messages'>;

/** What was said in a session. */
export class Messages {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Say something; the answer comes as events (`sessions.streamEvents`). */
  async create(sessionId: string, body: NewMessage, options?: RequestOptions): Promise<Message> {
    const path = { session_id: sessionId };
    const route = 'POST /v1/sessions/{session_id}/messages';
    return (await this.#api.call(route, { path, body }, options)) as unknown as Message;
  }

  /** All messages, oldest first; with a `limit` a page, and `for await` goes on to the newest. */
  list(
    sessionId: string,
    query: MessageQuery = {},
    options?: RequestOptions,
  ): Pages<Message, MessageList> {
    const path = { session_id: sessionId };
    return new Pages(async (before) => {
      const last = before?.data.at(-1)?.sequence;
      if (before !== undefined && (last === undefined || query.limit == null)) return undefined;
      const { offset, ...rest } = query;
      const page = before === undefined ? query : { ...rest, after_sequence: last as number };
      const route = 'GET /v1/sessions/{session_id}/messages';
      return (await this.#api.call(
        route,
        { path, query: page },
        options,
      )) as unknown as MessageList;
    });
  }
}
