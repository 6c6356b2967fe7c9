import { type Pages, whole } from '../pages.js';
import type { Api, BodyOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

type ApiKeyList = ReplyOf<'GET /v1/auth/api-keys'>;
type ApiKey = ApiKeyList['data'][number];
type LoginList = ReplyOf<'GET /v1/auth/logins'>;
type Login = LoginList['data'][number];

/** How to get in, who one is then, and the keys for it. */
export class Auth {
  readonly keys: ApiKeys;
  readonly logins: Logins;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.keys = new ApiKeys(api);
    this.logins = new Logins(api);
  }

  config(options?: RequestOptions) {
    return this.#api.call('GET /v1/auth/config', {}, options);
  }

  /** On whose behalf the key acts, where, and what it grants. */
  me(options?: RequestOptions) {
    return this.#api.call('GET /v1/auth/me', {}, options);
  }

  /** Get tokens; a client that is to use them is made with `access_token` as its key. */
  login(body: BodyOf<'POST /v1/auth/login'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/auth/login', { body }, options);
  }

  register(body: BodyOf<'POST /v1/auth/register'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/auth/register', { body }, options);
  }

  /** Get new tokens; the refresh token is good no more. */
  refresh(body: BodyOf<'POST /v1/auth/refresh'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/auth/refresh', { body }, options);
  }

  async logout(body: BodyOf<'POST /v1/auth/logout'>, options?: RequestOptions): Promise<void> {
    await this.#api.call('POST /v1/auth/logout', { body }, options);
  }

  async changePassword(
    body: BodyOf<'POST /v1/auth/password'>,
    options?: RequestOptions,
  ): Promise<void> {
    await this.#api.call('POST /v1/auth/password', { body }, options);
  }

  acceptInvitation(body: BodyOf<'POST /v1/auth/invitations/accept'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/auth/invitations/accept', { body }, options);
  }
}

/** The caller's own logins. */
export class Logins {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(options?: RequestOptions): Pages<Login, LoginList> {
    return whole<Login, LoginList>(() => this.#api.call('GET /v1/auth/logins', {}, options));
  }

  async end(loginId: string, options?: RequestOptions): Promise<void> {
    const path = { login_id: loginId };
    await this.#api.call('DELETE /v1/auth/logins/{login_id}', { path }, options);
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
