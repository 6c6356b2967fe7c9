import { type Pages, whole } from '../pages.js';
import type { Api, BodyOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

type OrganizationList = ReplyOf<'GET /v1/orgs'>;
type Organization = OrganizationList['data'][number];
type MemberList = ReplyOf<'GET /v1/orgs/{org}/members'>;
type Member = MemberList['data'][number];
type InvitationList = ReplyOf<'GET /v1/orgs/{org}/invitations'>;
type Invitation = InvitationList['data'][number];

/** Organizations that the caller may act in. */
export class Organizations {
  readonly members: Members;
  readonly invitations: Invitations;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.members = new Members(api);
    this.invitations = new Invitations(api);
  }

  list(options?: RequestOptions): Pages<Organization, OrganizationList> {
    return whole<Organization, OrganizationList>(() => this.#api.call('GET /v1/orgs', {}, options));
  }

  create(body: BodyOf<'POST /v1/orgs'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/orgs', { body }, options);
  }

  get(org: string, options?: RequestOptions) {
    return this.#api.call('GET /v1/orgs/{org}', { path: { org } }, options);
  }

  update(org: string, body: BodyOf<'PATCH /v1/orgs/{org}'>, options?: RequestOptions) {
    return this.#api.call('PATCH /v1/orgs/{org}', { path: { org }, body }, options);
  }

  /** Be no member any more. */
  async leave(org: string, options?: RequestOptions): Promise<void> {
    await this.#api.call('POST /v1/orgs/{org}/leave', { path: { org } }, options);
  }
}

/** Who belongs to an organization, and as what. */
export class Members {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(org: string, options?: RequestOptions): Pages<Member, MemberList> {
    return whole<Member, MemberList>(() =>
      this.#api.call('GET /v1/orgs/{org}/members', { path: { org } }, options),
    );
  }

  async setRole(
    org: string,
    userId: string,
    body: BodyOf<'PATCH /v1/orgs/{org}/members/{user_id}'>,
    options?: RequestOptions,
  ): Promise<void> {
    const path = { org, user_id: userId };
    await this.#api.call('PATCH /v1/orgs/{org}/members/{user_id}', { path, body }, options);
  }

  async remove(org: string, userId: string, options?: RequestOptions): Promise<void> {
    const path = { org, user_id: userId };
    await this.#api.call('DELETE /v1/orgs/{org}/members/{user_id}', { path }, options);
  }
}

/** Invitations to an organization. */
export class Invitations {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Invite somebody; `token` of the answer is for them, and is shown this once. */
  create(org: string, body: BodyOf<'POST /v1/orgs/{org}/invitations'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/orgs/{org}/invitations', { path: { org }, body }, options);
  }

  list(org: string, options?: RequestOptions): Pages<Invitation, InvitationList> {
    return whole<Invitation, InvitationList>(() =>
      this.#api.call('GET /v1/orgs/{org}/invitations', { path: { org } }, options),
    );
  }

  async withdraw(org: string, invitationId: string, options?: RequestOptions): Promise<void> {
    const path = { org, invitation_id: invitationId };
    await this.#api.call('DELETE /v1/orgs/{org}/invitations/{invitation_id}', { path }, options);
  }
}
