/** What a server says of one field that it refuses. */
export interface FieldProblem {
  field: string;
  message: string;
}

export interface ErrorDetails {
  /** What went wrong as a word for programs, such as `not_found`; `unknown` where the answer has none. */
  code?: string;
  /** The fields at fault, with 400 and 422. */
  errors?: FieldProblem[];
  /** How long to wait before another try, with 429 and 503. */
  retryAfterSeconds?: number;
  /** For the server's logs. */
  requestId?: string;
  /** The decoded answer. */
  body?: unknown;
  cause?: unknown;
}

/** A call that the server refused, or, with status 0, that never got an answer. */
export class EverrunsError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: FieldProblem[];
  readonly retryAfterSeconds: number | undefined;
  readonly requestId: string | undefined;
  readonly body: unknown;

  constructor(status: number, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.status = status;
    this.code = details.code ?? 'unknown';
    this.errors = details.errors ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.requestId = details.requestId;
    this.body = details.body;
  }
}

/** No answer: the server cannot be reached, or the connection broke. */
export class EverrunsConnectionError extends EverrunsError {
  constructor(message: string, details: ErrorDetails = {}) {
    super(0, message, { code: 'connection_failed', ...details });
  }
}

/** No answer in time. */
export class EverrunsTimeoutError extends EverrunsConnectionError {
  constructor(milliseconds: number) {
    super(`No answer within ${milliseconds} ms`, { code: 'timeout' });
  }
}

/** A turn that did not end with an answer; thrown by `sessions.run`. */
export class EverrunsTurnError extends Error {
  /** How it ended. */
  readonly type: 'turn.failed' | 'turn.cancelled' | 'turn.sealed';
  /** Such as `llm_error`, with `turn.failed`. */
  readonly code: string | undefined;
  readonly turnId: string;

  constructor(type: EverrunsTurnError['type'], turnId: string, message: string, code?: string) {
    super(message);
    this.name = 'EverrunsTurnError';
    this.type = type;
    this.turnId = turnId;
    this.code = code;
  }
}

/** The error of an answer whose status is not 2xx, whatever sent it. */
export function errorOf(status: number, headers: Headers, text: string): EverrunsError {
  const body = parsed(text);
  const said = isObject(body) ? body : {};
  const inner = isObject(said.error) ? said.error : undefined;
  return new EverrunsError(status, messageOf(status, said, inner, text), {
    code: stringOf(inner?.code) ?? stringOf(said.code),
    errors: Array.isArray(said.errors) ? said.errors.filter(isProblem) : undefined,
    retryAfterSeconds: retryAfter(headers.get('retry-after')) ?? numberOf(said.retry_after_seconds),
    requestId: stringOf(said.request_id) ?? headers.get('x-request-id') ?? undefined,
    body,
  });
}

/** Seconds or a date, as HTTP has it; undefined for anything else. */
export function retryAfter(value: string | null, now = Date.now()): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

function messageOf(
  status: number,
  said: Record<string, unknown>,
  inner: Record<string, unknown> | undefined,
  text: string,
): string {
  const stated =
    stringOf(inner?.message) ??
    stringOf(said.error) ??
    stringOf(said.message) ??
    stringOf(said.detail);
  if (stated !== undefined) return stated;
  // A page of a proxy says less than the status.
  const plain = text.trim();
  return plain === '' || plain.startsWith('<') ? `HTTP ${status}` : plain.slice(0, 1000);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProblem(value: unknown): value is FieldProblem {
  return isObject(value) && typeof value.field === 'string' && typeof value.message === 'string';
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
