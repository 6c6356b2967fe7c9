// A stream over connections that are cut again and again misses nothing and repeats nothing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { EverrunsClient, type SessionEvent } from 'everruns-sdk';
import { client, openSession, simulating, textPart, URL_OF_SERVER } from './support.ts';

/** Passes bytes on, and of what the server sends on a connection only so many. */
class Cutter {
  connections = 0;
  isDown = false;
  readonly #open = new Set<Socket>();
  readonly #server: Server;
  #bytes: () => number = () => Number.POSITIVE_INFINITY;

  constructor() {
    this.#server = createServer((downstream) => this.#join(downstream));
  }

  async start(bytes: () => number): Promise<EverrunsClient> {
    this.#bytes = bytes;
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return new EverrunsClient({ baseUrl: `http://127.0.0.1:${port}` });
  }

  /** Cut all connections, and every new one until it is up again. */
  goDown(): void {
    this.isDown = true;
    for (const socket of this.#open) socket.destroy();
  }

  stop(): void {
    this.goDown();
    this.#server.close();
  }

  #join(downstream: Socket): void {
    if (this.isDown) {
      downstream.destroy();
      return;
    }
    this.connections++;
    let left = this.#bytes();
    const upstream = connect(Number(new URL(URL_OF_SERVER).port), '127.0.0.1');
    const both = [downstream, upstream];
    const end = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      this.#open.add(socket);
      socket.on('error', end).on('close', () => {
        this.#open.delete(socket);
        end();
      });
    }
    downstream.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => {
      downstream.write(data.subarray(0, left));
      left -= data.length;
      if (left <= 0) downstream.end(end);
    });
  }
}

let cutter: Cutter;
beforeEach(() => {
  cutter = new Cutter();
});
afterEach(() => cutter.stop());

const STORY = simulating({
  response: { type: 'lorem', target_tokens: 120 },
  tokens_per_second: 150,
});

/** Repeatable, so that a failure can be looked at. */
function numbers(seed: number): () => number {
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
}

for (const accumulated of [false, true]) {
  test(`whole turns over connections cut anywhere, accumulated: ${accumulated}`, async () => {
    const random = numbers(7);
    const cut = await cutter.start(() => 700 + Math.floor(random() * 6_000));
    const sessionId = await openSession();
    const events: SessionEvent[] = [];
    const stream = cut.sessions.streamEvents(sessionId, { start: 'all', accumulated });
    const talking = (async () => {
      for (let turn = 0; turn < 3; turn++) {
        await client.sessions.run(sessionId, {
          message: { content: [textPart(`Story ${turn}`)], controls: STORY },
        });
      }
    })();
    let ended = 0;
    for await (const event of stream) {
      events.push(event);
      if (event.type === 'session.idled' && ++ended === 3) break;
    }
    await talking;

    const log = (await client.sessions.events.list(sessionId, { after_sequence: 0 })).data;
    const persisted = events.filter((each) => each.sequence !== undefined);
    assert.deepEqual(
      persisted.map((each) => [each.sequence, each.type, each.id]),
      log.map((each) => [each.sequence, each.type, each.id]),
    );
    assert.deepEqual(textsOf(events), answersOf(log));
    assert.ok(cutter.connections > 5, `only ${cutter.connections} connections`);
  });
}

/** The deltas of each answer, put together. */
function textsOf(events: SessionEvent[]): string[] {
  const texts: string[] = [];
  for (const event of events) {
    if (event.type === 'output.message.started') texts.push('');
    if (event.type === 'output.message.delta') texts.push(texts.pop() + event.data.delta);
    if (event.type === 'output.message.delta' && event.data.accumulated !== undefined) {
      assert.equal(event.data.accumulated, texts.at(-1));
    }
  }
  return texts;
}

function answersOf(log: SessionEvent[]): string[] {
  return log.flatMap((event) =>
    event.type === 'output.message.completed' ? [event.data.message.content[0]?.text ?? ''] : [],
  );
}

test('a live stream that is down before its first event gets what happened meanwhile', async () => {
  const cut = await cutter.start(() => Number.POSITIVE_INFINITY);
  const sessionId = await openSession();
  await client.sessions.run(sessionId, { message: 'before' });
  const stream = await cut.sessions.streamEvents(sessionId, { start: 'live' }).open();

  const events: SessionEvent[] = [];
  const reading = (async () => {
    for await (const event of stream) {
      events.push(event);
      if (event.type === 'session.idled') break;
    }
  })();
  cutter.goDown();
  const { message } = await client.sessions.run(sessionId, { message: 'meanwhile' });
  cutter.isDown = false;
  await reading;

  assert.equal(events[0]?.type, 'input.message');
  const answers = events.filter((each) => each.type === 'output.message.completed');
  assert.deepEqual(
    answers.map((each) => each.data.message.id),
    [message.id],
  );
});
