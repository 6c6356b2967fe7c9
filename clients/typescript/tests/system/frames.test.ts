// What the server sends, read by somebody else's parser: npm's eventsource.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventSource } from 'eventsource';
import { FrameReader, type SessionEvent } from 'everruns-sdk';
import { client, openSession, settled, simulating, textPart, URL_OF_SERVER } from './support.ts';

const WORDS = 'Zeile\u2028eins\u2029zwei\u0085drei \u{1f600}\r\nvier\rfünf\n\n: data: event: x';

const KINDS = [
  'session.started',
  'input.message',
  'turn.started',
  'session.activated',
  'reason.started',
  'output.message.started',
  'output.message.delta',
  'output.message.completed',
  'llm.generation',
  'reason.completed',
  'turn.completed',
  'session.idled',
] as const;

/** All events to the end of the turn, as EventSource hands them out. */
function readByEventSource(url: string): Promise<{ ids: string[]; events: SessionEvent[] }> {
  return new Promise((resolve, reject) => {
    const source = new EventSource(url);
    const ids: string[] = [];
    const events: SessionEvent[] = [];
    source.onerror = (error) => reject(new Error(error.message));
    source.onmessage = () => reject(new Error('a frame without a name'));
    for (const kind of KINDS) {
      source.addEventListener(kind, (frame) => {
        ids.push(frame.lastEventId);
        events.push(JSON.parse(frame.data));
        if (kind !== 'session.idled') return;
        source.close();
        resolve({ ids, events });
      });
    }
  });
}

async function readByUs(sessionId: string): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for await (const event of client.sessions.streamEvents(sessionId, { start: 'all' })) {
    events.push(event);
    if (event.type === 'session.idled') break;
  }
  return events;
}

const address = (sessionId: string) => `${URL_OF_SERVER}/v1/sessions/${sessionId}/sse?start=all`;

test('a turn that is over reads the same in both', async () => {
  const sessionId = await openSession();
  await settled(sessionId, WORDS);
  const theirs = await readByEventSource(address(sessionId));
  assert.deepEqual(theirs.events, await readByUs(sessionId));
  assert.deepEqual(
    theirs.ids,
    theirs.events.map((each) => each.id),
  );
});

test('a turn that is going on has the same events and the same text in both', async () => {
  const sessionId = await openSession();
  const both = [
    readByEventSource(address(sessionId)).then((read) => read.events),
    readByUs(sessionId),
  ];
  const fixed = { type: 'fixed', text: WORDS.repeat(4) };
  const controls = simulating({ response: fixed, tokens_per_second: 100 });
  await client.messages.create(sessionId, {
    message: { content: [textPart('Read')], controls },
  });
  const [theirs = [], ours = []] = await Promise.all(both);
  const logged = (events: SessionEvent[]) => events.filter((each) => each.sequence !== undefined);
  const text = (events: SessionEvent[]) =>
    events.map((each) => (each.type === 'output.message.delta' ? each.data.delta : '')).join('');
  assert.deepEqual(logged(theirs), logged(ours));
  assert.equal(text(theirs), WORDS.repeat(4));
  assert.equal(text(ours), WORDS.repeat(4));
});

test('the bytes of a turn read the same wherever they are cut', async () => {
  const sessionId = await openSession();
  await settled(sessionId, WORDS);
  const response = await fetch(address(sessionId));
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).includes('event: session.idled')) break;
  }
  const bytes = Buffer.concat(chunks);
  const read = (size: number) => {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < bytes.length; at += size) {
      frames.push(...reader.push(bytes.subarray(at, at + size)));
    }
    return frames;
  };
  const whole = read(bytes.length);
  assert.equal(whole[0]?.event, 'connected');
  assert.ok(whole.length > 8);
  for (const size of [1, 2, 3, 7, 64]) assert.deepEqual(read(size), whole);
});
