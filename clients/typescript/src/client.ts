import { Agents } from './resources/agents.js';
import { AuditLog } from './resources/audit_log.js';
import { Auth } from './resources/auth.js';
import { Channels } from './resources/channels.js';
import {
  Capabilities,
  Harnesses,
  McpServers,
  Models,
  Providers,
} from './resources/configuration.js';
import { Durable } from './resources/durable.js';
import { Files } from './resources/files.js';
import { Images } from './resources/images.js';
import { Messages } from './resources/messages.js';
import { Organizations } from './resources/organizations.js';
import { Sessions } from './resources/sessions.js';
import { Users } from './resources/users.js';
import { Webhooks } from './resources/webhooks.js';
import { Workspaces } from './resources/workspaces.js';
import { Api } from './routes.js';
import { type ClientOptions, type Query, type RequestOptions, Transport } from './transport.js';

/** A server and all that it has. */
export class EverrunsClient {
  readonly agents: Agents;
  readonly auditLog: AuditLog;
  readonly auth: Auth;
  readonly capabilities: Capabilities;
  readonly channels: Channels;
  readonly durable: Durable;
  readonly files: Files;
  readonly harnesses: Harnesses;
  readonly images: Images;
  readonly mcpServers: McpServers;
  readonly messages: Messages;
  readonly models: Models;
  readonly organizations: Organizations;
  readonly providers: Providers;
  readonly sessions: Sessions;
  readonly users: Users;
  readonly webhooks: Webhooks;
  readonly workspaces: Workspaces;
  readonly #api: Api;

  constructor(options: ClientOptions) {
    const api = new Api(new Transport(options));
    this.#api = api;
    this.agents = new Agents(api);
    this.auditLog = new AuditLog(api);
    this.auth = new Auth(api);
    this.capabilities = new Capabilities(api);
    this.channels = new Channels(api);
    this.durable = new Durable(api);
    this.files = new Files(api, 'sessions');
    this.harnesses = new Harnesses(api);
    this.images = new Images(api);
    this.mcpServers = new McpServers(api);
    this.messages = new Messages(api);
    this.models = new Models(api);
    this.organizations = new Organizations(api);
    this.providers = new Providers(api);
    this.sessions = new Sessions(api);
    this.users = new Users(api);
    this.webhooks = new Webhooks(api);
    this.workspaces = new Workspaces(api);
  }

  /** Whether the server is alive. */
  health(options?: RequestOptions) {
    return this.#api.call('GET /health', {}, options);
  }

  /** A call that has no method of its own; `path` begins with `/v1`. */
  request<T = unknown>(
    method: string,
    path: string,
    input: { query?: Query; body?: unknown } = {},
    options?: RequestOptions,
  ): Promise<T> {
    const call = { method: method.toUpperCase(), path, ...input };
    return this.#api.transport.json(call, options) as Promise<T>;
  }
}
