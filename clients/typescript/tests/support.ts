// What several test files need: a server that says what a test wants, and patience.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (request: Seen, response: ServerResponse) => void | Promise<void>;

/** A request as it arrived. */
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** A server on which request after request is answered as the script says; the last again and again. */
export class Scripted {
  readonly seen: Seen[] = [];
  readonly #server: Server;
  readonly #script: Answer[];

  private constructor(script: Answer[]) {
    this.#script = script;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(...script: Answer[]): Promise<Scripted> {
    const made = new Scripted(script);
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '', this.url);
    const seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    this.seen.push(seen);
    const answer = this.#script[Math.min(this.seen.length, this.#script.length) - 1];
    await answer?.(seen, response);
  }
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Closes the connection without an answer. */
export const hangUp: Answer = (_, response) => void response.destroy();

/** Never answers. */
export const silence: Answer = () => {};

/** Wait until something is so; fails after ten seconds. */
export async function until(isSo: () => unknown, what: string): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
