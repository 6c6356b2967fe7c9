import type { FileInfo, SessionFile } from '../models.js';
import type { Api, BodyOf, ReplyOf } from '../routes.js';
import { target } from '../routes.js';
import type { RequestOptions } from '../transport.js';

const ROUTES = {
  sessions: {
    root: 'GET /v1/sessions/{session_id}/fs',
    read: 'GET /v1/sessions/{session_id}/fs/{file}',
    create: 'POST /v1/sessions/{session_id}/fs/{file}',
    put: 'PUT /v1/sessions/{session_id}/fs/{file}',
    delete: 'DELETE /v1/sessions/{session_id}/fs/{file}',
    stat: 'POST /v1/sessions/{session_id}/fs/_/stat',
    move: 'POST /v1/sessions/{session_id}/fs/_/move',
    copy: 'POST /v1/sessions/{session_id}/fs/_/copy',
    grep: 'POST /v1/sessions/{session_id}/fs/_/grep',
    download: 'GET /v1/sessions/{session_id}/fs/_/download/{file}',
    preview: 'GET /v1/sessions/{session_id}/fs/_/preview/{file}',
  },
  workspaces: {
    root: 'GET /v1/workspaces/{workspace_id}/fs',
    read: 'GET /v1/workspaces/{workspace_id}/fs/{file}',
    create: 'POST /v1/workspaces/{workspace_id}/fs/{file}',
    put: 'PUT /v1/workspaces/{workspace_id}/fs/{file}',
    delete: 'DELETE /v1/workspaces/{workspace_id}/fs/{file}',
    stat: 'POST /v1/workspaces/{workspace_id}/fs/_/stat',
    move: 'POST /v1/workspaces/{workspace_id}/fs/_/move',
    copy: 'POST /v1/workspaces/{workspace_id}/fs/_/copy',
    grep: 'POST /v1/workspaces/{workspace_id}/fs/_/grep',
    download: 'GET /v1/workspaces/{workspace_id}/fs/_/download/{file}',
    preview: 'GET /v1/workspaces/{workspace_id}/fs/_/preview/{file}',
  },
} as const;

// The two families answer alike; these are the sessions' types.
type Of<Name extends keyof typeof ROUTES.sessions> = ReplyOf<(typeof ROUTES.sessions)[Name]>;
type FileList = { data: FileInfo[]; total: number };
type NewFile = BodyOf<typeof ROUTES.sessions.create>;
type FileContent = BodyOf<typeof ROUTES.sessions.put>;

/** The files of a session, or of a workspace that sessions share. */
export class Files {
  readonly #api: Api;
  readonly #kind: keyof typeof ROUTES;

  constructor(api: Api, kind: keyof typeof ROUTES) {
    this.#api = api;
    this.#kind = kind;
  }

  /** What is in a folder, or with `recursive` below it; `/` when no path is given. */
  list(
    ownerId: string,
    path = '/',
    query: { recursive?: boolean } = {},
    options?: RequestOptions,
  ): Promise<FileList> {
    const isRoot = path === '' || path === '/';
    return isRoot
      ? this.#call('root', { ownerId, query }, options)
      : this.#call('read', { ownerId, file: path, query }, options);
  }

  /** A file with its content, as text or base64. */
  read(ownerId: string, path: string, options?: RequestOptions): Promise<SessionFile> {
    return this.#call('read', { ownerId, file: path }, options);
  }

  /** Make a file that does not exist yet. */
  create(
    ownerId: string,
    path: string,
    body: NewFile,
    options?: RequestOptions,
  ): Promise<SessionFile> {
    return this.#call('create', { ownerId, file: path, body }, options);
  }

  createFolder(ownerId: string, path: string, options?: RequestOptions): Promise<SessionFile> {
    return this.create(ownerId, path, { is_directory: true }, options);
  }

  /** Write a file, whether or not it exists. */
  write(
    ownerId: string,
    path: string,
    body: FileContent | string,
    options?: RequestOptions,
  ): Promise<SessionFile> {
    const content = typeof body === 'string' ? { content: body } : body;
    return this.#call('put', { ownerId, file: path, body: content }, options);
  }

  delete(
    ownerId: string,
    path: string,
    query: { recursive?: boolean } = {},
    options?: RequestOptions,
  ): Promise<Of<'delete'>> {
    return this.#call('delete', { ownerId, file: path, query }, options);
  }

  stat(ownerId: string, path: string, options?: RequestOptions): Promise<Of<'stat'>> {
    return this.#call('stat', { ownerId, body: { path } }, options);
  }

  move(ownerId: string, from: string, to: string, options?: RequestOptions): Promise<SessionFile> {
    return this.#call('move', { ownerId, body: { src_path: from, dst_path: to } }, options);
  }

  copy(ownerId: string, from: string, to: string, options?: RequestOptions): Promise<SessionFile> {
    return this.#call('copy', { ownerId, body: { src_path: from, dst_path: to } }, options);
  }

  /** The lines that match a regular expression. */
  grep(
    ownerId: string,
    body: BodyOf<typeof ROUTES.sessions.grep>,
    options?: RequestOptions,
  ): Promise<Of<'grep'>> {
    return this.#call('grep', { ownerId, body }, options);
  }

  /** The file's bytes. */
  download(
    ownerId: string,
    path: string,
    options?: RequestOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const call = this.#target('download', { ownerId, file: path });
    return this.#api.transport.bytes({ ...call, accept: '*/*' }, options);
  }

  /** The file as text to look at. */
  preview(ownerId: string, path: string, options?: RequestOptions): Promise<string> {
    const call = this.#target('preview', { ownerId, file: path });
    return this.#api.transport.text({ ...call, accept: '*/*' }, options);
  }

  async #call<T>(name: keyof typeof ROUTES.sessions, given: Given, options?: RequestOptions) {
    const call = { ...this.#target(name, given), body: given.body };
    return (await this.#api.transport.json(call, options)) as T;
  }

  #target(name: keyof typeof ROUTES.sessions, { ownerId, file, query }: Given) {
    const path = { session_id: ownerId, workspace_id: ownerId, file };
    return target(ROUTES[this.#kind][name], { path, query });
  }
}

interface Given {
  ownerId: string;
  file?: string;
  query?: { recursive?: boolean };
  body?: unknown;
}
