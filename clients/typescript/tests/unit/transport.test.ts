// What every call has in common: addresses, headers, retries, time-outs, errors.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  type ClientOptions,
  EverrunsClient,
  EverrunsConnectionError,
  EverrunsError,
  EverrunsTimeoutError,
  VERSION,
} from 'everruns-sdk';
import { type Answer, hangUp, json, Scripted, silence } from '../support.ts';

let server: Scripted;
afterEach(() => server.stop());

async function clientOf(script: Answer[], options: Partial<ClientOptions> = {}) {
  server = await Scripted.start(...script);
  return new EverrunsClient({ baseUrl: server.url, ...options });
}

const ENVELOPE = { error: 'No such thing', status: 404, code: 'not_found', request_id: 'abc' };
const AGAIN = { 'retry-after': '0.01' };

test('an address with or without api and v1, and with slashes, leads to the same routes', async () => {
  server = await Scripted.start(json(200, { id: 'a' }));
  for (const suffix of ['', '/', '/v1', '/v1/', '/api', '/api/v1']) {
    await new EverrunsClient({ baseUrl: server.url + suffix }).agents.get('x y/z');
  }
  assert.deepEqual(
    server.seen.map((each) => each.path),
    ['', '', '', '', '/api', '/api'].map((prefix) => `${prefix}/v1/agents/x%20y%2Fz`),
  );
});

test('what is no address is refused at once', async () => {
  server = await Scripted.start(silence);
  assert.throws(() => new EverrunsClient({ baseUrl: 'localhost' }), TypeError);
});

test('no key sends no header; a key is a bearer token; a function is asked each time', async () => {
  let asked = 0;
  server = await Scripted.start(json(200, {}));
  for (const apiKey of [undefined, 'evr_1', () => `evr_${++asked + 1}`, async () => 'evr_x']) {
    await new EverrunsClient({ baseUrl: server.url, ...(apiKey && { apiKey }) }).health();
  }
  assert.deepEqual(
    server.seen.map((each) => each.headers.authorization),
    [undefined, 'Bearer evr_1', 'Bearer evr_2', 'Bearer evr_x'],
  );
});

test('an organization, common headers and those of one call are sent', async () => {
  const client = await clientOf([json(200, {})], {
    organizationId: 'org_1',
    headers: { 'x-common': 'a', 'x-both': 'a' },
  });

  await client.health({ headers: { 'x-both': 'b' } });

  const [{ headers }] = server.seen as [(typeof server.seen)[0]];
  assert.equal(headers['x-org-id'], 'org_1');
  assert.equal(headers['x-common'], 'a');
  assert.equal(headers['x-both'], 'b');
  assert.equal(headers['user-agent'], `everruns-sdk-typescript/${VERSION}`);
});

test('query parameters: lists are repeated, what is not given is left out', async () => {
  const client = await clientOf([json(200, { data: [], total: 0 })]);

  await client.sessions.events.list('s', {
    types: ['a', 'b'],
    limit: 5,
    q: null,
    order_desc: true,
  });

  assert.equal(server.seen[0]?.query.toString(), 'limit=5&types=a&types=b&order_desc=true');
});

test('a part of a path that would lead elsewhere is refused before anything is sent', async () => {
  const client = await clientOf([json(200, {})]);
  for (const path of ['..', '../..', 'a/../b', '.', './a']) {
    await assert.rejects(async () => await client.files.delete('session', path), TypeError);
  }
  await assert.rejects(async () => await client.sessions.get('..'), TypeError);
  await assert.rejects(async () => await client.sessions.get(''), TypeError);
  assert.equal(server.seen.length, 0);
});

test('the path of a file keeps its slashes and nothing else', async () => {
  const client = await clientOf([json(200, {})]);
  await client.files.read('s', '/a b/ü?#.txt');
  assert.equal(server.seen[0]?.path, '/v1/sessions/s/fs/a%20b/%C3%BC%3F%23.txt');
});

test('an error has all that the envelope says', async () => {
  const body = {
    ...ENVELOPE,
    status: 422,
    errors: [{ field: 'message.content', message: 'Empty' }],
  };
  const client = await clientOf([json(422, body)]);

  const error = await client.messages.create('s', { message: { content: 'x' } }).catch((e) => e);

  assert.ok(error instanceof EverrunsError && error instanceof Error);
  assert.equal(error.name, 'EverrunsError');
  assert.equal(error.status, 422);
  assert.equal(error.message, 'No such thing');
  assert.equal(error.code, 'not_found');
  assert.deepEqual(error.errors, body.errors);
  assert.equal(error.requestId, 'abc');
  assert.equal(error.retryAfterSeconds, undefined);
  assert.deepEqual(error.body, body);
});

const STRANGE: [name: string, body: string, message: string, code: string][] = [
  ['an object in error', '{"error": {"code": "c", "message": "m"}}', 'm', 'c'],
  ['a problem document', '{"title": "t", "detail": "d", "code": "c"}', 'd', 'c'],
  ['plain text', ' gone \n', 'gone', 'unknown'],
  ['a page', '<!DOCTYPE html><title>502</title>', 'HTTP 404', 'unknown'],
  ['nothing', '', 'HTTP 404', 'unknown'],
  ['a list', '[1]', '[1]', 'unknown'],
];
for (const [name, body, message, code] of STRANGE) {
  test(`an error is readable whoever sent it: ${name}`, async () => {
    const answer: Answer = (_, response) => void response.writeHead(404).end(body);
    const client = await clientOf([answer]);
    await assert.rejects(client.health(), { status: 404, message, code });
  });
}

test('reads are tried again when the server is passing through trouble', async () => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    const client = await clientOf([json(status, ENVELOPE, AGAIN), json(200, { status: 'ok' })]);
    assert.equal((await client.health()).status, 'ok');
    assert.equal(server.seen.length, 2, `${status}`);
    server.stop();
  }
});

test('what will not mend is not tried again', async () => {
  for (const status of [400, 401, 403, 404, 405, 409, 413, 415, 422, 501]) {
    const client = await clientOf([json(status, ENVELOPE, AGAIN)]);
    await assert.rejects(client.health(), { status });
    assert.equal(server.seen.length, 1, `${status}`);
    server.stop();
  }
});

test('a broken connection is tried again, as often as is wished, and is an error with status 0', async () => {
  const client = await clientOf([hangUp], { maxRetries: 1 });
  const error = await client.health().catch((e) => e);
  assert.ok(error instanceof EverrunsConnectionError && error instanceof EverrunsError);
  assert.deepEqual([error.status, error.code], [0, 'connection_failed']);
  assert.equal(server.seen.length, 2);

  await assert.rejects(client.health({ maxRetries: 0 }), EverrunsConnectionError);
  assert.equal(server.seen.length, 3);
});

test('an answer that breaks off is no answer', async () => {
  const half: Answer = (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"status"', () => response.destroy());
  };
  const client = await clientOf([half, json(200, { status: 'ok' })]);
  assert.equal((await client.health()).status, 'ok');
});

test('a POST has a key of its own, the same for each try, and another for the next call', async () => {
  const created = json(201, { id: 'm' });
  const client = await clientOf([hangUp, json(503, ENVELOPE, AGAIN), created, created]);
  const say = () => client.messages.create('s', { message: { content: 'x' } });
  await say();
  await say();

  const keys = server.seen.map((each) => each.headers['idempotency-key']);
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/);
  assert.deepEqual(keys.slice(1, 3), [keys[0], keys[0]]);
  assert.notEqual(keys[3], keys[0]);
});

test("a key of the caller's own is sent as it is", async () => {
  const client = await clientOf([json(201, {})]);
  await client.sessions.create({}, { idempotencyKey: 'mine' });
  assert.equal(server.seen[0]?.headers['idempotency-key'], 'mine');
});

test('a PATCH whose outcome is unknown is not sent again; one that was not begun is', async () => {
  const unknown = await clientOf([hangUp]);
  await assert.rejects(unknown.sessions.update('s', { title: 'x' }), EverrunsConnectionError);
  assert.equal(server.seen.length, 1);
  server.stop();

  const refused = await clientOf([json(429, ENVELOPE, AGAIN), json(200, {})]);
  await refused.sessions.update('s', { title: 'x' });
  assert.equal(server.seen.length, 2);
});

test('a DELETE whose answer was lost has succeeded when there is nothing left', async () => {
  const client = await clientOf([hangUp, json(404, ENVELOPE)]);
  await client.images.delete('i');
  assert.equal(server.seen.length, 2);
  server.stop();

  const first = await clientOf([json(404, ENVELOPE)]);
  await assert.rejects(first.images.delete('i'), { status: 404 });
});

test('Retry-After is waited for, but not for minutes', async () => {
  const client = await clientOf([
    json(429, ENVELOPE, { 'retry-after': '1' }),
    json(200, { status: 'ok' }),
  ]);
  const started = performance.now();
  await client.health();
  assert.ok(performance.now() - started >= 990);
  server.stop();

  const impatient = await clientOf([json(503, ENVELOPE, { 'retry-after': '3600' })]);
  await assert.rejects(impatient.health(), { status: 503, retryAfterSeconds: 3600 });
  assert.equal(server.seen.length, 1);
});

test('Retry-After may be a date or stand in the body', async () => {
  const at = new Date(Date.now() + 90_000).toUTCString();
  const dated = await clientOf([json(503, ENVELOPE, { 'retry-after': at })]);
  const error = (await dated.health().catch((e) => e)) as EverrunsError;
  assert.ok(error.retryAfterSeconds !== undefined && error.retryAfterSeconds > 85);
  server.stop();

  const told = await clientOf([json(503, { ...ENVELOPE, retry_after_seconds: 77 })]);
  await assert.rejects(told.health(), { retryAfterSeconds: 77 });
});

test('one try may take so long and no longer, its body included', async () => {
  const client = await clientOf([silence], { timeoutMs: 50, maxRetries: 0 });
  await assert.rejects(client.health(), (e: unknown) => {
    return e instanceof EverrunsTimeoutError && e.code === 'timeout';
  });
  server.stop();

  const slow: Answer = (_, response) => void response.writeHead(200).write('{');
  const slowly = await clientOf([slow, json(200, { status: 'ok' })], { timeoutMs: 300 });
  assert.equal((await slowly.health()).status, 'ok');
});

test("the caller's signal ends a call, and a wait between two tries, with its own reason", async () => {
  const reason = new Error('enough');
  const client = await clientOf([silence]);
  const abort = new AbortController();
  const call = client.health({ signal: abort.signal });
  abort.abort(reason);
  await assert.rejects(call, reason);
  await assert.rejects(client.health({ signal: abort.signal }), reason);
  server.stop();

  const waiting = await clientOf([json(503, ENVELOPE, { 'retry-after': '30' })]);
  const abortWait = new AbortController();
  const waits = waiting.health({ signal: abortWait.signal });
  setTimeout(() => abortWait.abort(reason), 50);
  await assert.rejects(waits, reason);
});

test('a list is fetched when it is awaited, once, and page after page when it is iterated', async () => {
  const page = (offset: number, ...ids: string[]) =>
    json(200, { data: ids.map((id) => ({ id })), total: 3, offset, limit: 2 });
  const client = await clientOf([page(0, 'a', 'b'), page(2, 'c'), page(0, 'a', 'b')]);

  const agents = client.agents.list({ limit: 2 });
  assert.equal(server.seen.length, 0);
  const ids: string[] = [];
  for await (const agent of agents) ids.push(agent.id);

  assert.deepEqual(ids, ['a', 'b', 'c']);
  assert.deepEqual((await agents).data.length, 2);
  assert.deepEqual(
    server.seen.map((each) => each.query.toString()),
    ['limit=2', 'limit=2&offset=2'],
  );
  await client.agents.list();
  assert.equal(server.seen.length, 3);
});

test('a list that shrinks while it is read ends', async () => {
  const client = await clientOf([
    json(200, { data: [{ id: 'a' }], total: 9, offset: 0 }),
    json(200, { data: [], total: 9, offset: 1 }),
  ]);
  const ids: string[] = [];
  for await (const agent of client.agents.list()) ids.push(agent.id);
  assert.deepEqual(ids, ['a']);
});

test('a failed list says so to whoever awaits it', async () => {
  const client = await clientOf([json(404, ENVELOPE)]);
  await assert.rejects(async () => await client.agents.list(), { status: 404 });
  assert.equal(await client.agents.list().catch(() => 'caught'), 'caught');
});

test('uploads: bytes, blobs, files and streams of either kind, with their names', async () => {
  const { createReadStream } = await import('node:fs');
  const here = new URL(import.meta.url);
  const client = await clientOf([json(201, { id: 'i' })]);
  const bytes = new TextEncoder().encode('picture');
  async function* pieces() {
    yield bytes.subarray(0, 3);
    yield bytes.subarray(3);
  }

  await client.images.upload({ file: bytes, session_id: 's1' });
  await client.images.upload({ file: bytes.buffer as ArrayBuffer });
  await client.images.upload({ file: Buffer.from('picture'), filename: 'own.png' });
  await client.images.upload({ file: new Blob([bytes]) });
  await client.images.upload({ file: new File([bytes], 'file.png') });
  await client.images.upload({ file: new Blob([bytes]).stream() });
  await client.images.upload({ file: pieces() });
  await client.images.upload({ file: createReadStream(here) });

  const forms = await Promise.all(
    server.seen.map((each) =>
      new Response(new Uint8Array(each.body), {
        headers: { 'content-type': String(each.headers['content-type']) },
      }).formData(),
    ),
  );
  const files = forms.map((form) => form.get('file') as File);
  assert.deepEqual(
    files.map((file) => file.name),
    ['file', 'file', 'own.png', 'file', 'file.png', 'file', 'file', here.pathname.split('/').pop()],
  );
  for (const file of files.slice(0, 7)) assert.equal(await file.text(), 'picture');
  assert.match(await (files[7] as File).text(), /^\/\/ What every call has in common/);
  assert.equal(forms[0]?.get('session_id'), 's1');
  assert.equal(forms[1]?.get('session_id'), null);
  assert.ok(server.seen.every((each) => Number(each.headers['content-length']) > 0));
});

test('any other route can be called too', async () => {
  const client = await clientOf([json(501, { error: 'Not yet', code: 'not_implemented' })]);
  await assert.rejects(client.request('post', '/v1/budgets', { query: { a: 1 }, body: { b: 2 } }), {
    status: 501,
    code: 'not_implemented',
  });
  const [request] = server.seen;
  assert.deepEqual([request?.method, request?.path], ['POST', '/v1/budgets']);
  assert.equal(request?.query.toString(), 'a=1');
  assert.deepEqual(JSON.parse(String(request?.body)), { b: 2 });
});
