import { EverrunsConnectionError, EverrunsError } from './errors.js';
import type { SessionEvent } from './events.js';
import { jittered, mayRepeat, pause } from './retry.js';
import { type Frame, FrameReader } from './sse.js';
import { type Query, type RequestOptions, type Transport, unreachable } from './transport.js';

export interface StreamOptions {
  /** Go on after the event with this id. */
  since_id?: string;
  /** Go on after the event with this number; 0 is from the beginning. */
  after_sequence?: number;
  /** Only these, such as `turn.failed` or `turn.*`. */
  types?: readonly string[];
  /** All but these. */
  exclude?: readonly string[];
  /** Where to start without a cursor; see "Events" in the README. */
  start?: 'turn' | 'live' | 'all';
  /** Whether deltas also carry all the text so far. */
  accumulated?: boolean;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** A connection that is silent for so long is given up; 45 s. The server sends something every 15. */
  idleTimeoutMs?: number;
  /** How often in a row a stream that was lost may fail to come back before it gives up; no end. */
  maxReconnects?: number;
}

const IDLE_MS = 45_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

type Result = IteratorResult<SessionEvent, undefined>;
const DONE: Result = { done: true, value: undefined };

/**
 * The events of a session, each once and in order, whatever happens to connections.
 *
 * It connects when it is first read (or by `open`), reconnects with the id of the last event,
 * and ends when its reader stops: `break`, `close` or an aborted signal.  It is read at the
 * reader's pace.
 */
export class EventStream implements AsyncIterableIterator<SessionEvent, undefined, undefined> {
  readonly #transport: Transport;
  readonly #path: string;
  readonly #options: StreamOptions;
  readonly #ended = new AbortController();

  #connection: Connection | undefined;
  #queue: SessionEvent[] = [];
  #isOpen = false;
  #cursor: Query | undefined;
  #lastSequence = 0;
  #lastEventId: string | undefined;
  #failures = 0;
  #delayMs = 0;
  #retryMs = FIRST_DELAY_MS;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(transport: Transport, path: string, options: StreamOptions = {}) {
    this.#transport = transport;
    this.#path = path;
    this.#options = options;
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted) this.#abort();
  }

  /** The id of the newest event that was received: a cursor for another stream. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Connect now; resolves when the server has confirmed, so that nothing said after is missed. */
  open(): Promise<this> {
    return this.#inTurn(async () => {
      while (!this.#isOpen && !this.#ended.signal.aborted) await this.#receive();
      this.#throwIfAborted();
      return this;
    });
  }

  next(): Promise<Result> {
    return this.#inTurn(async () => {
      while (this.#queue.length === 0 && !this.#ended.signal.aborted) await this.#receive();
      this.#throwIfAborted();
      const value = this.#ended.signal.aborted ? undefined : this.#queue.shift();
      return value === undefined ? DONE : { done: false, value };
    });
  }

  async return(): Promise<Result> {
    this.close();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Stop: the connection is closed, and whoever waits for an event is told that there is none. */
  close(): void {
    this.#ended.abort();
    this.#drop();
    this.#queue = [];
    this.#options.signal?.removeEventListener('abort', this.#abort);
  }

  readonly #abort = () => this.close();

  #throwIfAborted(): void {
    this.#options.signal?.throwIfAborted();
  }

  /** One reader at a time, in the order they asked. */
  #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(read);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** One step: connect, or take what comes next on the connection. */
  async #receive(): Promise<void> {
    try {
      this.#connection ??= await this.#connect();
      const connection = this.#connection;
      const frames = await connection.frames();
      this.#retryMs = connection.retryMs ?? this.#retryMs;
      if (frames === undefined) this.#lose();
      for (const frame of frames ?? []) this.#take(frame);
    } catch (failure) {
      if (this.#ended.signal.aborted) return;
      this.#drop();
      this.#giveUpOn(failure);
      this.#lose(failure instanceof EverrunsError ? failure.retryAfterSeconds : undefined);
    }
  }

  async #connect(): Promise<Connection> {
    await pause(this.#delayMs, this.#ended.signal);
    const { types, exclude, start, accumulated, since_id, after_sequence } = this.#options;
    const from = this.#cursor ?? { since_id, after_sequence, start };
    const connection = await Connection.open(
      this.#transport,
      { path: this.#path, query: { ...from, types, exclude, accumulated } },
      { headers: this.#options.headers ?? {}, signal: this.#ended.signal },
      this.#options.idleTimeoutMs ?? IDLE_MS,
    );
    // Where it begins is known only now; a stream lost before its first event goes on from here.
    const begins = connection.afterSequence;
    if (begins !== undefined) this.#cursor ??= since_id ? undefined : { after_sequence: begins };
    return connection;
  }

  #take(frame: Frame): void {
    if (frame.event === 'connected') {
      this.#isOpen = true;
      this.#failures = 0;
    } else if (frame.event === 'disconnecting') {
      this.#drop();
      const asked = parsed(frame.data)?.retry_ms;
      this.#delayMs = typeof asked === 'number' ? asked : 100;
    } else {
      this.#add(parsed(frame.data) as SessionEvent | undefined);
    }
  }

  #add(event: SessionEvent | undefined): void {
    // What is no event is for somebody else, or of another time.
    if (typeof event?.id !== 'string' || typeof event.type !== 'string') return;
    this.#failures = 0;
    if (event.sequence !== undefined) {
      if (event.sequence <= this.#lastSequence) return;
      this.#lastSequence = event.sequence;
    }
    this.#cursor = { since_id: event.id };
    this.#lastEventId = event.id;
    this.#queue.push(event);
  }

  /** The connection ended without a word: come back, later each time, not before we may. */
  #lose(notBeforeSeconds = 0): void {
    this.#drop();
    const delay = jittered(Math.min(this.#retryMs * 2 ** this.#failures, LONGEST_DELAY_MS));
    this.#delayMs = Math.max(delay, notBeforeSeconds * 1000);
    this.#failures += 1;
  }

  /** Throws what no further try can mend. */
  #giveUpOn(failure: unknown): void {
    const patience = this.#isOpen
      ? (this.#options.maxReconnects ?? Number.POSITIVE_INFINITY)
      : this.#transport.maxRetries;
    if (!mayRepeat(failure, true) || this.#failures >= patience) throw failure;
  }

  #drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

interface Place {
  path: string;
  query: Query;
}

/** One answer of the server, read until it ends. */
class Connection {
  readonly #response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser = new FrameReader();
  readonly #abort: AbortController;
  readonly #idleMs: number;
  readonly #release: () => void;

  private constructor(
    response: Response,
    abort: AbortController,
    idleMs: number,
    release: () => void,
  ) {
    if (!response.body) throw new EverrunsConnectionError('The stream has no body');
    this.#response = response;
    this.#reader = response.body.getReader();
    this.#abort = abort;
    this.#idleMs = idleMs;
    this.#release = release;
  }

  static async open(
    transport: Transport,
    place: Place,
    options: RequestOptions,
    idleMs: number,
  ): Promise<Connection> {
    const abort = new AbortController();
    const cancel = () => abort.abort();
    const release = () => options.signal?.removeEventListener('abort', cancel);
    options.signal?.addEventListener('abort', cancel, { once: true });
    try {
      const call = { method: 'GET', ...place, accept: 'text/event-stream' };
      const answer = transport.open(call, { ...options, signal: abort.signal });
      const response = await within(idleMs, answer, cancel);
      const type = response.headers.get('content-type') ?? '';
      if (!type.includes('text/event-stream')) {
        abort.abort();
        throw new EverrunsError(response.status, `Not a stream of events but ${type || 'nothing'}`);
      }
      return new Connection(response, abort, idleMs, release);
    } catch (failure) {
      release();
      throw failure;
    }
  }

  get afterSequence(): number | undefined {
    const given = this.#response.headers.get('x-after-sequence');
    return given === null ? undefined : Number(given);
  }

  get retryMs(): number | undefined {
    return this.#parser.retryMs;
  }

  /** The frames that came next, maybe none; undefined when the answer has ended. */
  async frames(): Promise<Frame[] | undefined> {
    try {
      const { done, value } = await within(this.#idleMs, this.#reader.read(), () => this.close());
      return done ? undefined : this.#parser.push(value);
    } catch (failure) {
      throw unreachable(failure);
    }
  }

  close(): void {
    this.#release();
    this.#abort.abort();
    this.#reader.cancel().catch(() => undefined);
  }
}

/** What was promised, unless it takes too long. */
async function within<T>(milliseconds: number, promised: Promise<T>, tooLate: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new EverrunsConnectionError(`Nothing was heard for ${milliseconds} ms`));
      tooLate();
    }, milliseconds);
  });
  try {
    return await Promise.race([promised, late]);
  } finally {
    clearTimeout(timer);
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
