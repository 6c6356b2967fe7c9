import { EverrunsConnectionError, EverrunsError, EverrunsTimeoutError, errorOf } from './errors.js';
import { delayBefore, mayRepeat, pause } from './retry.js';
import { VERSION } from './version.js';

export interface ClientOptions {
  /** Where the server is, such as `http://localhost:9300`; with or without `/api`, without `/v1`. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer`; a function is asked before every request. */
  apiKey?: string | (() => string | Promise<string>);
  /** The organization to act in, for keys that belong to several. */
  organizationId?: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** How long one try may take, to the last byte of its answer; 60 s. */
  timeoutMs?: number;
  /** How often a call that failed in passing is tried again; 2. */
  maxRetries?: number;
  /** Instead of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

export interface RequestOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
  maxRetries?: number;
  headers?: Record<string, string>;
  /** Made up for each POST when not given. */
  idempotencyKey?: string;
}

export type QueryValue = string | number | boolean | readonly string[] | null | undefined;
export type Query = Record<string, QueryValue>;

export interface Call {
  method: string;
  path: string;
  query?: Query | undefined;
  /** Sent as JSON, unless it is a form or has a content type of its own. */
  body?: unknown;
  contentType?: string;
  accept?: string;
}

const TIMEOUT_MS = 60_000;
const RETRIES = 2;
const REPEATABLE = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/** Sends calls, with what they all have in common. */
export class Transport {
  readonly maxRetries: number;
  readonly #options: ClientOptions;
  readonly #root: string;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: ClientOptions) {
    new URL(options.baseUrl); // throws for what is no address
    this.#options = options;
    this.#root = options.baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
    this.maxRetries = options.maxRetries ?? RETRIES;
    // Browsers refuse a fetch that is called as somebody else's method.
    this.#fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
  }

  /** The decoded answer; undefined when it is empty. */
  async json(call: Call, options: RequestOptions = {}): Promise<unknown> {
    const text = await this.text(call, options);
    return text === '' ? undefined : JSON.parse(text);
  }

  text(call: Call, options: RequestOptions = {}): Promise<string> {
    return this.#send(call, options, (response) => response.text());
  }

  bytes(call: Call, options: RequestOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#send(
      call,
      options,
      async (response) => new Uint8Array(await response.arrayBuffer()),
    );
  }

  /** One try at an answer that is read as it comes; its time and its end are the caller's business. */
  async open(call: Call, options: RequestOptions): Promise<Response> {
    const init = await this.#prepared(call, options);
    try {
      const response = await this.#ask(call, init, options.signal);
      if (response.ok) return response;
      throw errorOf(response.status, response.headers, await response.text());
    } catch (failure) {
      if (options.signal?.aborted) throw options.signal.reason;
      throw unreachable(failure);
    }
  }

  async #send<T>(
    call: Call,
    options: RequestOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const given = withKey(call, options);
    const retries = options.maxRetries ?? this.maxRetries;
    const isRepeatable = REPEATABLE.has(call.method) || call.method === 'POST';
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#try(call, given, read);
      } catch (failure) {
        // Deleted by the try before, whose answer was lost.
        if (attempt > 0 && call.method === 'DELETE' && isMissing(failure)) return '' as T;
        if (attempt >= retries || !mayRepeat(failure, isRepeatable)) throw failure;
        await pause(delayBefore(attempt, failure), options.signal);
      }
    }
  }

  async #try<T>(
    call: Call,
    options: RequestOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const init = await this.#prepared(call, options);
    const deadline = new Deadline(
      options.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS,
      options.signal,
    );
    try {
      const response = await this.#ask(call, init, deadline.signal);
      if (response.ok) return await read(response);
      throw errorOf(response.status, response.headers, await response.text());
    } catch (failure) {
      throw deadline.explained(failure);
    } finally {
      deadline.end();
    }
  }

  /** Apart from the try itself: what is wrong here is no matter of the network. */
  async #prepared(call: Call, options: RequestOptions): Promise<RequestInit> {
    const { body, type } = encoded(call);
    return { method: call.method, headers: await this.#headers(call, options, type), body };
  }

  async #ask(call: Call, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const url = this.#root + call.path + queryString(call.query);
    return await this.#fetch(url, signal === undefined ? init : { ...init, signal });
  }

  async #headers(call: Call, options: RequestOptions, type: string | undefined): Promise<Headers> {
    const { apiKey, organizationId, headers: common } = this.#options;
    const headers = new Headers({ accept: call.accept ?? 'application/json' });
    if (IS_SERVER_SIDE) headers.set('user-agent', `everruns-sdk-typescript/${VERSION}`);
    const key = typeof apiKey === 'function' ? await apiKey() : apiKey;
    if (key) headers.set('authorization', `Bearer ${key}`);
    if (organizationId) headers.set('x-org-id', organizationId);
    if (type !== undefined) headers.set('content-type', type);
    if (options.idempotencyKey !== undefined) {
      headers.set('idempotency-key', options.idempotencyKey);
    }
    for (const given of [common, options.headers]) {
      for (const [name, value] of Object.entries(given ?? {})) headers.set(name, value);
    }
    return headers;
  }
}

/** The time one try may take, and the caller's own signal, as one. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #milliseconds: number;
  readonly #outer: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout>;
  #isOver = false;

  constructor(milliseconds: number, outer: AbortSignal | undefined) {
    outer?.throwIfAborted();
    this.#milliseconds = milliseconds;
    this.#outer = outer;
    outer?.addEventListener('abort', this.#cancel, { once: true });
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#controller.abort();
    }, milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What broke the try off, in our words; the caller's own reason as it is. */
  explained(failure: unknown): unknown {
    if (failure instanceof EverrunsError) return failure;
    if (this.#outer?.aborted) return this.#outer.reason;
    return this.#isOver ? new EverrunsTimeoutError(this.#milliseconds) : unreachable(failure);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#cancel);
  }

  readonly #cancel = () => this.#controller.abort(this.#outer?.reason);
}

const IS_SERVER_SIDE = typeof document === 'undefined' && !('WorkerGlobalScope' in globalThis);

/** Whatever a request or its answer broke off with, in our words. */
export function unreachable(failure: unknown): unknown {
  if (failure instanceof EverrunsError) return failure;
  const inner = failure instanceof Error ? failure.cause : undefined;
  const cause = inner instanceof Error && inner.message !== '' ? `: ${inner.message}` : '';
  return new EverrunsConnectionError(`The server cannot be reached${cause}`, { cause: failure });
}

export function queryString(query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'object') for (const each of value) search.append(name, each);
    else search.append(name, String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
}

function withKey(call: Call, options: RequestOptions): RequestOptions {
  if (call.method !== 'POST' || options.idempotencyKey !== undefined) return options;
  return { ...options, idempotencyKey: randomKey() };
}

/** `crypto.randomUUID` is only there on pages that were loaded securely. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function encoded(call: Call): { body: BodyInit | null; type: string | undefined } {
  if (call.body === undefined) return { body: null, type: undefined };
  if (call.body instanceof FormData) return { body: call.body, type: undefined };
  if (call.contentType !== undefined) {
    return { body: call.body as BodyInit, type: call.contentType };
  }
  return { body: JSON.stringify(call.body), type: 'application/json' };
}

function isMissing(failure: unknown): boolean {
  return failure instanceof EverrunsError && failure.status === 404;
}
