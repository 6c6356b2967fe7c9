import type { Workspace } from '../models.js';
import { type Pages, whole } from '../pages.js';
import type { Api, BodyOf, QueryOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';
import { Files } from './files.js';

type WorkspaceList = ReplyOf<'GET /v1/workspaces'>;

/** Folders that sessions share. */
export class Workspaces {
  readonly files: Files;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.files = new Files(api, 'workspaces');
  }

  list(
    query?: QueryOf<'GET /v1/workspaces'>,
    options?: RequestOptions,
  ): Pages<Workspace, WorkspaceList> {
    return whole<Workspace, WorkspaceList>(() =>
      this.#api.call('GET /v1/workspaces', { query }, options),
    );
  }

  create(body: BodyOf<'POST /v1/workspaces'>, options?: RequestOptions): Promise<Workspace> {
    return this.#api.call('POST /v1/workspaces', { body }, options);
  }

  get(workspaceId: string, options?: RequestOptions): Promise<Workspace> {
    const path = { workspace_id: workspaceId };
    return this.#api.call('GET /v1/workspaces/{workspace_id}', { path }, options);
  }

  update(
    workspaceId: string,
    body: BodyOf<'PATCH /v1/workspaces/{workspace_id}'>,
    options?: RequestOptions,
  ): Promise<Workspace> {
    const path = { workspace_id: workspaceId };
    return this.#api.call('PATCH /v1/workspaces/{workspace_id}', { path, body }, options);
  }

  async archive(workspaceId: string, options?: RequestOptions): Promise<void> {
    const path = { workspace_id: workspaceId };
    await this.#api.call('DELETE /v1/workspaces/{workspace_id}', { path }, options);
  }

  /** Delete an archived workspace with its files. */
  async delete(workspaceId: string, options?: RequestOptions): Promise<void> {
    const path = { workspace_id: workspaceId };
    await this.#api.call('POST /v1/workspaces/{workspace_id}/delete', { path }, options);
  }
}
