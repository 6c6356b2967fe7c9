// A stream of events over connections that end, break, stall and are refused.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, test } from 'node:test';
import {
  type EventStream,
  EverrunsClient,
  EverrunsConnectionError,
  EverrunsError,
  type SessionEvent,
  type StreamOptions,
} from 'everruns-sdk';
import { type Answer, hangUp, json, Scripted, silence, until } from '../support.ts';

let server: Scripted;
let stream: EventStream;
afterEach(() => {
  stream?.close();
  server.stop();
});

const CONNECTED = 'event: connected\nretry: 1\ndata: {"status":"connected"}\n\n';
const DISCONNECTING = 'event: disconnecting\ndata: {"reason":"connection_cycle","retry_ms":5}\n\n';

const event = (sequence: number, type = 'reason.started') => {
  const body = { id: `event_${sequence}`, type, sequence, session_id: 's', data: {}, context: {} };
  return `retry: 1\nid: event_${sequence}\nevent: ${type}\ndata: ${JSON.stringify(body)}\n\n`;
};
const delta = (id: string, text: string) => {
  const body = { id, type: 'output.message.delta', session_id: 's', data: { delta: text } };
  return `id: ${id}\nevent: output.message.delta\ndata: ${JSON.stringify(body)}\n\n`;
};

function begin(response: ServerResponse, afterSequence?: number) {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    ...(afterSequence === undefined ? {} : { 'x-after-sequence': String(afterSequence) }),
  });
}

/** A connection on which this is sent, and which then stays open, ends or breaks. */
const sends =
  (text: string, then: 'stays' | 'ends' | 'breaks' = 'stays', afterSequence?: number): Answer =>
  (_, response) => {
    begin(response, afterSequence);
    response.write(text, () => {
      if (then === 'ends') response.end();
      if (then === 'breaks') response.destroy();
    });
  };

async function streamOf(script: Answer[], options: StreamOptions = {}, maxRetries = 2) {
  server = await Scripted.start(...script);
  const client = new EverrunsClient({ baseUrl: server.url, apiKey: 'key', maxRetries });
  stream = client.sessions.streamEvents('s', options);
  return stream;
}

async function take(count: number): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  while (events.length < count) {
    const next = await stream.next();
    assert.ok(!next.done);
    events.push(next.value);
  }
  return events;
}

const ids = (events: SessionEvent[]) => events.map((each) => each.id);
const queries = () => server.seen.map((each) => each.query.toString());

test('events come as they are, control frames and heartbeats do not', async () => {
  await streamOf([sends(`${CONNECTED}: heartbeat\n\n${event(1)}: heartbeat\n\n${event(2)}`)]);
  const events = await take(2);
  assert.deepEqual(ids(events), ['event_1', 'event_2']);
  assert.equal(events[0]?.type, 'reason.started');
  const [request] = server.seen;
  assert.equal(request?.path, '/v1/sessions/s/sse');
  assert.equal(request?.headers.accept, 'text/event-stream');
  assert.equal(request?.headers.authorization, 'Bearer key');
  assert.equal(stream.lastEventId, 'event_2');
});

test('nothing is sent before it is read, and `open` is done when the server has confirmed', async () => {
  let confirm = () => {};
  await streamOf([
    (_, response) => {
      begin(response);
      response.flushHeaders();
      confirm = () => response.write(CONNECTED);
    },
  ]);
  assert.equal(server.seen.length, 0);
  let isOpen = false;
  const opening = stream.open().then(() => {
    isOpen = true;
  });
  await until(() => server.seen.length === 1, 'the request arrives');
  assert.equal(isOpen, false);
  confirm();
  await opening;
  await stream.open();
  assert.equal(server.seen.length, 1);
});

test('the parameters that were given are sent', async () => {
  const given = { types: ['turn.*', 'input.message'], exclude: ['turn.started'] } as const;
  await streamOf([sends(CONNECTED)], { ...given, start: 'all', accumulated: false });
  await stream.open();
  assert.deepEqual(queries(), [
    'start=all&types=turn.*&types=input.message&exclude=turn.started&accumulated=false',
  ]);
});

for (const how of ['ends', 'breaks'] as const) {
  test(`a connection that ${how} is opened again with the last id and the same filters`, async () => {
    const script = [sends(CONNECTED + event(1) + event(2), how), sends(CONNECTED + event(3))];
    await streamOf(script, { start: 'turn', exclude: ['llm.generation'] });
    assert.deepEqual(ids(await take(3)), ['event_1', 'event_2', 'event_3']);
    assert.deepEqual(queries(), [
      'start=turn&exclude=llm.generation',
      'since_id=event_2&exclude=llm.generation',
    ]);
  });
}

test('the id of a delta is a cursor too', async () => {
  await streamOf([
    sends(CONNECTED + event(1) + delta('event_d1', 'Hel'), 'breaks'),
    sends(CONNECTED + delta('event_d2', 'lo') + event(2)),
  ]);
  const events = await take(4);
  const texts = events.map((each) =>
    each.type === 'output.message.delta' ? each.data.delta : '|',
  );
  assert.equal(texts.join(''), '|Hello|');
  assert.equal(queries()[1], 'since_id=event_d1');
});

test('a frame that was cut off is read whole from the next connection', async () => {
  const whole = event(2);
  for (const length of [1, 20, whole.length - 1]) {
    const cut = CONNECTED + event(1) + whole.slice(0, length);
    await streamOf([sends(cut, 'breaks'), sends(CONNECTED + whole)]);
    assert.deepEqual(ids(await take(2)), ['event_1', 'event_2']);
    stream.close();
    server.stop();
  }
});

test('what a server sends twice is passed on once', async () => {
  await streamOf([
    sends(CONNECTED + event(1) + event(2), 'breaks'),
    sends(CONNECTED + event(1) + event(2) + event(3)),
  ]);
  assert.deepEqual(ids(await take(3)), ['event_1', 'event_2', 'event_3']);
});

test('on `disconnecting` it comes back when it was told to, again and again', async () => {
  const cycle = (sequence: number) => sends(CONNECTED + event(sequence) + DISCONNECTING, 'ends');
  await streamOf([1, 2, 3, 4, 5, 6, 7, 8].map(cycle), { maxReconnects: 0 });
  assert.equal((await take(8)).length, 8);
  assert.equal(queries()[7], 'since_id=event_7');
});

test('lost before its first event, it goes on from where it began', async () => {
  await streamOf([sends(CONNECTED, 'breaks', 17), sends(CONNECTED + event(18))]);
  await take(1);
  assert.deepEqual(queries(), ['', 'after_sequence=17']);
});

test('lost before its first event, a cursor that was given is given again', async () => {
  await streamOf([sends(CONNECTED, 'breaks', 17), sends(CONNECTED + event(18))], {
    since_id: 'event_d9',
  });
  await take(1);
  assert.deepEqual(queries(), ['since_id=event_d9', 'since_id=event_d9']);
});

test('without that header it asks as it did at first', async () => {
  await streamOf([sends(CONNECTED, 'breaks'), sends(CONNECTED + event(1))], { start: 'live' });
  await take(1);
  assert.deepEqual(queries(), ['start=live', 'start=live']);
});

test('a silent connection is given up; a heartbeat keeps it', async () => {
  const beats: Answer = (_, response) => {
    begin(response);
    response.write(CONNECTED + event(1));
    let count = 0;
    const timer = setInterval(() => {
      response.write(++count < 6 ? ': heartbeat\n\n' : event(2));
      if (count === 6) clearInterval(timer);
    }, 150);
  };
  await streamOf([beats, sends(CONNECTED + event(3))], { idleTimeoutMs: 600 });
  assert.deepEqual(ids(await take(3)), ['event_1', 'event_2', 'event_3']);
  assert.deepEqual(queries(), ['', 'since_id=event_2']);
});

test('a server that does not even answer is given up like that', async () => {
  await streamOf([silence, sends(CONNECTED + event(1))], { idleTimeoutMs: 300 });
  assert.deepEqual(ids(await take(1)), ['event_1']);
});

test('once it was open it comes back however often it is refused in passing', async () => {
  const refused = json(503, { error: 'Not now' }, { 'retry-after': '0' });
  const script = [sends(CONNECTED + event(1), 'breaks'), refused, hangUp, refused, hangUp];
  await streamOf([...script, sends(CONNECTED + event(2))], {}, 0);
  assert.deepEqual(ids(await take(2)), ['event_1', 'event_2']);
});

test('or as often as is wished', async () => {
  await streamOf([sends(CONNECTED + event(1), 'breaks'), hangUp], { maxReconnects: 2 });
  await take(1);
  await assert.rejects(stream.next(), EverrunsConnectionError);
  assert.equal(server.seen.length, 3);
});

test('that never was open is an error after a few tries', async () => {
  await streamOf([hangUp], {}, 0);
  await assert.rejects(stream.next(), EverrunsConnectionError);
  assert.equal(server.seen.length, 1);
});

test('what will not mend is an error at once, also after it was open', async () => {
  const gone = json(404, { error: 'Session not found', code: 'not_found' });
  for (const script of [[gone], [sends(CONNECTED + event(1) + DISCONNECTING, 'ends'), gone]]) {
    await streamOf(script);
    const read = async () => {
      for await (const _ of stream);
    };
    await assert.rejects(read, { name: 'EverrunsError', status: 404, code: 'not_found' });
    assert.equal(server.seen.length, script.length);
    server.stop();
  }
});

test('an answer that is no stream is an error', async () => {
  await streamOf([json(200, { hello: 'you' })]);
  await assert.rejects(stream.next(), (e: unknown) => {
    return e instanceof EverrunsError && e.message.includes('application/json');
  });
});

test('what is no event is skipped', async () => {
  const strange = [
    'data: {"half\n\n',
    'data: 7\n\n',
    'data: {"type":"x"}\n\n',
    'event: ping\ndata\n\n',
  ];
  await streamOf([sends(CONNECTED + strange.join('') + event(1))]);
  assert.deepEqual(ids(await take(1)), ['event_1']);
});

test('types of the future are passed on', async () => {
  await streamOf([sends(CONNECTED + event(1, 'dream.started'))]);
  assert.equal((await take(1))[0]?.type as string, 'dream.started');
});

/** A connection that says when its other end is gone. */
function watched(text: string) {
  const state = { isGone: false };
  const answer: Answer = (_, response) => {
    begin(response);
    response.on('close', () => {
      state.isGone = true;
    });
    response.write(text);
  };
  return { state, answer };
}

test('`break` closes the connection', async () => {
  const { state, answer } = watched(CONNECTED + event(1) + event(2));
  await streamOf([answer]);
  for await (const each of stream) {
    assert.equal(each.id, 'event_1');
    break;
  }
  await until(() => state.isGone, 'the connection is closed');
  assert.equal((await stream.next()).done, true);
  assert.equal(server.seen.length, 1);
});

test('`close` ends a read that waits, and a wait between two connections', async () => {
  const { state, answer } = watched(CONNECTED);
  await streamOf([answer]);
  const waiting = [stream.next(), stream.next()];
  await until(() => server.seen.length === 1, 'it is connected');
  stream.close();
  assert.deepEqual(await Promise.all(waiting), [
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
  await until(() => state.isGone, 'the connection is closed');
  server.stop();

  await streamOf([json(503, { error: 'Not now' }, { 'retry-after': '50' })]);
  const later = stream.next();
  await until(() => server.seen.length === 1, 'it was refused');
  setTimeout(() => stream.close(), 20);
  assert.equal((await later).done, true);
});

test('a signal ends it with its reason, before, during and after', async () => {
  const { state, answer } = watched(CONNECTED);
  const abort = new AbortController();
  await streamOf([answer], { signal: abort.signal });
  const waiting = stream.next();
  await until(() => server.seen.length === 1, 'it is connected');
  const reason = new Error('enough');
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(stream.next(), reason);
  await until(() => state.isGone, 'the connection is closed');
  server.stop();

  await streamOf([sends(CONNECTED)], { signal: AbortSignal.abort(reason) });
  await assert.rejects(stream.next(), reason);
  assert.equal(server.seen.length, 0);
});

test('a slow reader misses nothing', async () => {
  const all = Array.from({ length: 50 }, (_, at) => event(at + 1));
  await streamOf([
    sends(CONNECTED + all.slice(0, 30).join(''), 'ends'),
    sends(CONNECTED + all.slice(30).join('')),
  ]);
  const seen: SessionEvent[] = [];
  for await (const each of stream) {
    seen.push(each);
    if (seen.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    if (seen.length === 50) break;
  }
  assert.deepEqual(
    seen.map((each) => each.sequence),
    Array.from({ length: 50 }, (_, at) => at + 1),
  );
});
