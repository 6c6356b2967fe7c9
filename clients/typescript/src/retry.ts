import { EverrunsConnectionError, EverrunsError } from './errors.js';

const FIRST_MS = 500;
const LONGEST_MS = 8_000;
/** A server that wants us to wait longer than this is not waited for. */
const PATIENCE_SECONDS = 60;

const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** Refused before anything was done, so that even a PATCH may be sent again. */
const NOT_BEGUN = new Set([429, 503]);

/** Whether another try may succeed without doing anything twice. */
export function mayRepeat(failure: unknown, isRepeatable: boolean): boolean {
  if (failure instanceof EverrunsConnectionError) return isRepeatable;
  if (!(failure instanceof EverrunsError)) return false;
  if ((failure.retryAfterSeconds ?? 0) > PATIENCE_SECONDS) return false;
  return isRepeatable ? PASSING.has(failure.status) : NOT_BEGUN.has(failure.status);
}

/** Milliseconds until the next try: what the server asks for, else doubling, with jitter. */
export function delayBefore(attempt: number, failure: unknown, random = Math.random): number {
  const asked = failure instanceof EverrunsError ? failure.retryAfterSeconds : undefined;
  if (asked !== undefined) return asked * 1000 * (1 + random() * 0.1);
  return jittered(Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS), random);
}

/** A quarter more or less, so that many clients do not come back in step. */
export function jittered(milliseconds: number, random = Math.random): number {
  return milliseconds * (0.75 + random() * 0.5);
}

/** Wait; rejects with the signal's reason as soon as it is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const done = () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}
