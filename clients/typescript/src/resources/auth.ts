import { type Pages, whole } from '../pages.js';
import type { Api, BodyOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

type ApiKeyList = ReplyOf<'GET /v1/auth/api-keys'>;
type ApiKey = ApiKeyList['data'][number];

/** How to get in, who one is then, and the keys for it. */
export class Auth {
  readonly keys: ApiKeys;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.keys = new ApiKeys(api);
  }

  config(options?: RequestOptions) {
    return this.#api.call('GET /v1/auth/config', {}, options);
  }

  /** On whose behalf the key acts, where, and what it grants. */
  me(options?: RequestOptions) {
    return this.#api.call('GET /v1/auth/me', {}, options);
  }
}

/** The caller's own API keys. */
export class ApiKeys {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Make a key; `key` of the answer is its text, which is shown this once. */
  create(body: BodyOf<'POST /v1/auth/api-keys'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/auth/api-keys', { body }, options);
  }

  list(options?: RequestOptions): Pages<ApiKey, ApiKeyList> {
    return whole<ApiKey, ApiKeyList>(() => this.#api.call('GET /v1/auth/api-keys', {}, options));
  }

  async revoke(keyId: string, options?: RequestOptions): Promise<void> {
    const path = { key_id: keyId };
    await this.#api.call('DELETE /v1/auth/api-keys/{key_id}', { path }, options);
  }
}
