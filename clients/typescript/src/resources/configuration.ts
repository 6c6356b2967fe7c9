import type { Capability, Harness, McpServer, Model, Provider } from '../models.js';
import { byOffset, type Pages, whole } from '../pages.js';
import type { Api, BodyOf, QueryOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

/** What agents stand on: a base prompt with capabilities. */
export class Harnesses {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(query?: QueryOf<'GET /v1/harnesses'>, options?: RequestOptions) {
    return whole<Harness, ReplyOf<'GET /v1/harnesses'>>(() =>
      this.#api.call('GET /v1/harnesses', { query }, options),
    );
  }

  create(body: BodyOf<'POST /v1/harnesses'>, options?: RequestOptions): Promise<Harness> {
    return this.#api.call('POST /v1/harnesses', { body }, options);
  }

  get(harness: string, options?: RequestOptions): Promise<Harness> {
    return this.#api.call('GET /v1/harnesses/{harness}', { path: { harness } }, options);
  }

  update(
    harness: string,
    body: BodyOf<'PATCH /v1/harnesses/{harness}'>,
    options?: RequestOptions,
  ): Promise<Harness> {
    return this.#api.call('PATCH /v1/harnesses/{harness}', { path: { harness }, body }, options);
  }

  async archive(harness: string, options?: RequestOptions): Promise<void> {
    await this.#api.call('DELETE /v1/harnesses/{harness}', { path: { harness } }, options);
  }

  copy(harness: string, options?: RequestOptions): Promise<Harness> {
    return this.#api.call('POST /v1/harnesses/{harness}/copy', { path: { harness } }, options);
  }

  /** Ready-made ones, for `import`. */
  examples(options?: RequestOptions) {
    return this.#api.call('GET /v1/harness-examples', {}, options);
  }

  import(query: QueryOf<'POST /v1/harnesses/import'>, options?: RequestOptions): Promise<Harness> {
    return this.#api.call('POST /v1/harnesses/import', { query }, options);
  }

  preview(body: BodyOf<'POST /v1/harnesses/preview'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/harnesses/preview', { body }, options);
  }

  checkName(query: QueryOf<'GET /v1/harnesses/check-name'>, options?: RequestOptions) {
    return this.#api.call('GET /v1/harnesses/check-name', { query }, options);
  }

  stats(harness: string, options?: RequestOptions) {
    return this.#api.call('GET /v1/harnesses/{harness}/stats', { path: { harness } }, options);
  }

  policies(options?: RequestOptions) {
    return this.#api.call('GET /v1/harnesses/config', {}, options);
  }
}

type CapabilityList = ReplyOf<'GET /v1/capabilities'>;

/** What an agent can be given: groups of tools. */
export class Capabilities {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(
    query?: QueryOf<'GET /v1/capabilities'>,
    options?: RequestOptions,
  ): Pages<Capability, CapabilityList> {
    return byOffset(query, (page) =>
      this.#api.call('GET /v1/capabilities', { query: page }, options),
    );
  }

  get(capabilityId: string, options?: RequestOptions): Promise<Capability> {
    const path = { capability_id: capabilityId };
    return this.#api.call('GET /v1/capabilities/{capability_id}', { path }, options);
  }

  guardrailExamples(options?: RequestOptions) {
    return this.#api.call('GET /v1/capabilities/guardrails/examples', {}, options);
  }
}

type ModelList = ReplyOf<'GET /v1/models'>;

export class Models {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(query?: QueryOf<'GET /v1/models'>, options?: RequestOptions): Pages<Model, ModelList> {
    return whole<Model, ModelList>(() => this.#api.call('GET /v1/models', { query }, options));
  }

  get(modelId: string, options?: RequestOptions): Promise<Model> {
    return this.#api.call('GET /v1/models/{model_id}', { path: { model_id: modelId } }, options);
  }

  update(
    modelId: string,
    body: BodyOf<'PATCH /v1/models/{model_id}'>,
    options?: RequestOptions,
  ): Promise<Model> {
    const path = { model_id: modelId };
    return this.#api.call('PATCH /v1/models/{model_id}', { path, body }, options);
  }

  async delete(modelId: string, options?: RequestOptions): Promise<void> {
    await this.#api.call('DELETE /v1/models/{model_id}', { path: { model_id: modelId } }, options);
  }

  policies(options?: RequestOptions) {
    return this.#api.call('GET /v1/models/config', {}, options);
  }
}

type ProviderList = ReplyOf<'GET /v1/providers'>;

/** Who runs models. */
export class Providers {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(options?: RequestOptions): Pages<Provider, ProviderList> {
    return whole<Provider, ProviderList>(() => this.#api.call('GET /v1/providers', {}, options));
  }

  create(body: BodyOf<'POST /v1/providers'>, options?: RequestOptions): Promise<Provider> {
    return this.#api.call('POST /v1/providers', { body }, options);
  }

  get(providerId: string, options?: RequestOptions): Promise<Provider> {
    const path = { provider_id: providerId };
    return this.#api.call('GET /v1/providers/{provider_id}', { path }, options);
  }

  update(
    providerId: string,
    body: BodyOf<'PATCH /v1/providers/{provider_id}'>,
    options?: RequestOptions,
  ): Promise<Provider> {
    const path = { provider_id: providerId };
    return this.#api.call('PATCH /v1/providers/{provider_id}', { path, body }, options);
  }

  async delete(providerId: string, options?: RequestOptions): Promise<void> {
    const path = { provider_id: providerId };
    await this.#api.call('DELETE /v1/providers/{provider_id}', { path }, options);
  }

  models(
    providerId: string,
    query?: QueryOf<'GET /v1/providers/{provider_id}/models'>,
    options?: RequestOptions,
  ): Pages<Model, ModelList> {
    const path = { provider_id: providerId };
    return whole<Model, ModelList>(() =>
      this.#api.call('GET /v1/providers/{provider_id}/models', { path, query }, options),
    );
  }

  addModel(
    providerId: string,
    body: BodyOf<'POST /v1/providers/{provider_id}/models'>,
    options?: RequestOptions,
  ): Promise<Model> {
    const path = { provider_id: providerId };
    return this.#api.call('POST /v1/providers/{provider_id}/models', { path, body }, options);
  }

  /** Ask the provider which models it has. */
  syncModels(providerId: string, options?: RequestOptions) {
    const path = { provider_id: providerId };
    return this.#api.call('POST /v1/providers/{provider_id}/sync-models', { path }, options);
  }

  config(options?: RequestOptions) {
    return this.#api.call('GET /v1/providers/config', {}, options);
  }
}

type McpServerList = ReplyOf<'GET /v1/mcp-servers'>;

/** Servers whose tools agents may use. */
export class McpServers {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(
    query?: QueryOf<'GET /v1/mcp-servers'>,
    options?: RequestOptions,
  ): Pages<McpServer, McpServerList> {
    return byOffset(query, (page) =>
      this.#api.call('GET /v1/mcp-servers', { query: page }, options),
    );
  }

  create(body: BodyOf<'POST /v1/mcp-servers'>, options?: RequestOptions): Promise<McpServer> {
    return this.#api.call('POST /v1/mcp-servers', { body }, options);
  }

  get(serverId: string, options?: RequestOptions): Promise<McpServer> {
    const path = { server_id: serverId };
    return this.#api.call('GET /v1/mcp-servers/{server_id}', { path }, options);
  }

  update(
    serverId: string,
    body: BodyOf<'PATCH /v1/mcp-servers/{server_id}'>,
    options?: RequestOptions,
  ): Promise<McpServer> {
    const path = { server_id: serverId };
    return this.#api.call('PATCH /v1/mcp-servers/{server_id}', { path, body }, options);
  }

  async delete(serverId: string, options?: RequestOptions): Promise<void> {
    const path = { server_id: serverId };
    await this.#api.call('DELETE /v1/mcp-servers/{server_id}', { path }, options);
  }

  /** Ask the server again which tools it has. */
  refresh(serverId: string, options?: RequestOptions): Promise<McpServer> {
    const path = { server_id: serverId };
    return this.#api.call('POST /v1/mcp-servers/{server_id}/refresh', { path }, options);
  }

  policies(options?: RequestOptions) {
    return this.#api.call('GET /v1/mcp-servers/config', {}, options);
  }
}
