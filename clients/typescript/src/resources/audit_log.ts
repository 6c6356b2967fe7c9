import type { Api, QueryOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

/** Who did what to which resource. */
export class AuditLog {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** A page, newest first; the next one is below its `next_page_token`. */
  list(query?: QueryOf<'GET /v1/audit-log'>, options?: RequestOptions) {
    return this.#api.call('GET /v1/audit-log', { query }, options);
  }
}
