import type { Agent, AgentVersion, NewAgent } from '../models.js';
import { byOffset, type Pages } from '../pages.js';
import type { Api, BodyOf, QueryOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

type AgentList = ReplyOf<'GET /v1/agents'>;

/** Prompts with models and tools under a name.  Each is addressed by id or by name. */
export class Agents {
  readonly versions: AgentVersions;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.versions = new AgentVersions(api);
  }

  /** Create an agent, or replace the one that has this name or id. */
  create(body: NewAgent, options?: RequestOptions): Promise<Agent> {
    return this.#api.call('POST /v1/agents', { body }, options);
  }

  list(query?: QueryOf<'GET /v1/agents'>, options?: RequestOptions): Pages<Agent, AgentList> {
    return byOffset(query, (page) => this.#api.call('GET /v1/agents', { query: page }, options));
  }

  get(agent: string, options?: RequestOptions): Promise<Agent> {
    return this.#api.call('GET /v1/agents/{agent}', { path: { agent } }, options);
  }

  /** Change what is given and keep the rest. */
  update(
    agent: string,
    body: BodyOf<'PATCH /v1/agents/{agent}'>,
    options?: RequestOptions,
  ): Promise<Agent> {
    return this.#api.call('PATCH /v1/agents/{agent}', { path: { agent }, body }, options);
  }

  replace(agent: string, body: NewAgent, options?: RequestOptions): Promise<Agent> {
    return this.#api.call('PUT /v1/agents/{agent}', { path: { agent }, body }, options);
  }

  /** Put an agent away: its sessions go on, new ones cannot use it. */
  async archive(agent: string, options?: RequestOptions): Promise<void> {
    await this.#api.call('DELETE /v1/agents/{agent}', { path: { agent } }, options);
  }

  /** Delete an archived agent for good. */
  async delete(agent: string, options?: RequestOptions): Promise<void> {
    await this.#api.call('POST /v1/agents/{agent}/delete', { path: { agent } }, options);
  }

  copy(agent: string, options?: RequestOptions): Promise<Agent> {
    return this.#api.call('POST /v1/agents/{agent}/copy', { path: { agent } }, options);
  }

  /** As Markdown with front matter, which `import` takes. */
  export(agent: string, options?: RequestOptions): Promise<string> {
    return this.#api.text('GET /v1/agents/{agent}/export', { path: { agent } }, options);
  }

  /** From Markdown with front matter, YAML, JSON or plain text. */
  async import(
    document: string,
    query: QueryOf<'POST /v1/agents/import'> = {},
    options?: RequestOptions,
  ): Promise<Agent> {
    const call = { method: 'POST', path: '/v1/agents/import', query, body: document };
    return (await this.#api.transport.json(
      { ...call, contentType: 'text/plain' },
      options,
    )) as Agent;
  }

  /** What a draft comes to: its whole prompt and its tools. */
  preview(body: BodyOf<'POST /v1/agents/preview'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/agents/preview', { body }, options);
  }

  /** What could be better about a draft. */
  analyze(body: BodyOf<'POST /v1/agents/analyze'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/agents/analyze', { body }, options);
  }

  checkName(query: QueryOf<'GET /v1/agents/check-name'>, options?: RequestOptions) {
    return this.#api.call('GET /v1/agents/check-name', { query }, options);
  }

  stats(agent: string, options?: RequestOptions) {
    return this.#api.call('GET /v1/agents/{agent}/stats', { path: { agent } }, options);
  }

  /** What the caller may do. */
  policies(options?: RequestOptions) {
    return this.#api.call('GET /v1/agents/config', {}, options);
  }
}

/** What an agent was, change by change. */
export class AgentVersions {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(agent: string, options?: RequestOptions): Promise<AgentVersion[]> {
    return this.#api.call('GET /v1/agents/{agent}/versions', { path: { agent } }, options);
  }

  /** Keep the agent as it is now. */
  create(
    agent: string,
    body: BodyOf<'POST /v1/agents/{agent}/versions'> = {},
    options?: RequestOptions,
  ): Promise<AgentVersion> {
    return this.#api.call('POST /v1/agents/{agent}/versions', { path: { agent }, body }, options);
  }

  /** Let new sessions use this version. */
  setDefault(agent: string, versionId: string, options?: RequestOptions): Promise<Agent> {
    const body = { version_id: versionId };
    return this.#api.call(
      'POST /v1/agents/{agent}/versions/default',
      { path: { agent }, body },
      options,
    );
  }

  diff(agent: string, fromId: string, toId: string, options?: RequestOptions) {
    const path = { agent, from_id: fromId, to_id: toId };
    return this.#api.call(
      'GET /v1/agents/{agent}/versions/{from_id}/diff/{to_id}',
      { path },
      options,
    );
  }

  /** Another agent that begins as this version. */
  fork(
    agent: string,
    versionId: string,
    body: BodyOf<'POST /v1/agents/{agent}/versions/{version_id}/fork'>,
    options?: RequestOptions,
  ): Promise<Agent> {
    const path = { agent, version_id: versionId };
    return this.#api.call(
      'POST /v1/agents/{agent}/versions/{version_id}/fork',
      { path, body },
      options,
    );
  }

  rollback(
    agent: string,
    versionId: string,
    body: BodyOf<'POST /v1/agents/{agent}/versions/{version_id}/rollback'> = {},
    options?: RequestOptions,
  ): Promise<Agent> {
    const path = { agent, version_id: versionId };
    return this.#api.call(
      'POST /v1/agents/{agent}/versions/{version_id}/rollback',
      { path, body },
      options,
    );
  }
}
