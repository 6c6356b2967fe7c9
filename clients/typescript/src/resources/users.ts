import { type Pages, whole } from '../pages.js';
import type { Api, BodyOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

type UserList = ReplyOf<'GET /v1/users'>;
type User = UserList['data'][number];

/** The users of the organization, and one's own account. */
export class Users {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(options?: RequestOptions): Pages<User, UserList> {
    return whole<User, UserList>(() => this.#api.call('GET /v1/users', {}, options));
  }

  updateMe(body: BodyOf<'PATCH /v1/users/me'>, options?: RequestOptions) {
    return this.#api.call('PATCH /v1/users/me', { body }, options);
  }

  async deleteMe(options?: RequestOptions): Promise<void> {
    await this.#api.call('DELETE /v1/users/me', {}, options);
  }

  exportMe(options?: RequestOptions) {
    return this.#api.call('GET /v1/users/me/export', {}, options);
  }

  /** Say where this login's requests are meant for that name no organization. */
  switchOrganization(body: BodyOf<'POST /v1/users/me/switch-org'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/users/me/switch-org', { body }, options);
  }
}
