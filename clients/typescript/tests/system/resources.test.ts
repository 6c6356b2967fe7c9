// The rest of what the server has, through the client's methods.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, openSession, picture, settled } from './support.ts';

let count = 0;
const named = (what: string) => `${what}-${process.pid}-${++count}`;
const draft = () => ({ name: named('agent'), system_prompt: 'You help.' });

test('health', async () => {
  assert.equal((await client.health()).status, 'ok');
});

test('agents: create, find, change, copy, put away, delete', async () => {
  const made = await client.agents.create(draft());
  assert.equal((await client.agents.get(made.name)).id, made.id);
  const found = await client.agents.list({ search: made.name });
  assert.deepEqual([found.total, found.data[0]?.id], [1, made.id]);

  const changed = await client.agents.update(made.id, { description: 'Kind' });
  assert.deepEqual([changed.description, changed.system_prompt], ['Kind', 'You help.']);
  const replaced = await client.agents.replace(made.id, { ...draft(), name: made.name });
  assert.equal(replaced.description, null);
  const copied = await client.agents.copy(made.id);
  assert.notEqual(copied.id, made.id);
  assert.equal((await client.agents.checkName({ name: made.name })).available, false);
  assert.equal((await client.agents.stats(made.id)).session_count, 0);
  assert.ok((await client.agents.policies()).policies);

  await client.agents.archive(made.id);
  assert.equal((await client.agents.get(made.id)).status, 'archived');
  await client.agents.delete(made.id);
  await assert.rejects(client.agents.get(made.id), { status: 404 });
});

test('agents: documents, previews, findings', async () => {
  const made = await client.agents.create({ ...draft(), tags: ['x'] });
  const document = await client.agents.export(made.id);
  assert.match(document, /^---\n/);
  const again = await client.agents.import(document);
  assert.deepEqual([again.id, again.tags], [made.id, ['x']]);

  const preview = await client.agents.preview({
    system_prompt: 'You help.',
    capabilities: ['current_time'],
  });
  assert.ok(preview.tools.length > 0);
  assert.ok(Array.isArray((await client.agents.analyze({ system_prompt: 'x' })).findings));
});

test('agents: versions', async () => {
  const made = await client.agents.create(draft());
  const first = await client.agents.versions.create(made.id, { summary: 'first' });
  await client.agents.update(made.id, { system_prompt: 'You help a lot.' });
  const second = await client.agents.versions.create(made.id);
  const all = await client.agents.versions.list(made.id);
  assert.ok(all.some((each) => each.id === first.id) && all.some((each) => each.id === second.id));

  const diff = await client.agents.versions.diff(made.id, first.id, second.id);
  assert.match(JSON.stringify(diff.authored_diff), /a lot/);
  const pinned = await client.agents.versions.setDefault(made.id, first.id);
  assert.equal(pinned.default_version_id, first.id);
  const forked = await client.agents.versions.fork(made.id, first.id, { name: named('fork') });
  assert.equal(forked.forked_from_agent_id, made.id);
  const back = await client.agents.versions.rollback(made.id, first.id);
  assert.equal(back.system_prompt, 'You help.');
});

test('sessions: create, list, change, pin, fork, export, delete', async () => {
  const agent = await client.agents.create(draft());
  const made = await client.sessions.create({ agent_id: agent.id, title: 'Talk' });
  await settled(made.id, 'Hello');
  const listed = await client.sessions.list({ agent_id: agent.id });
  assert.deepEqual([listed.total, listed.data[0]?.id], [1, made.id]);
  assert.equal((await client.sessions.update(made.id, { title: 'Chat' })).title, 'Chat');

  await client.sessions.pin(made.id);
  assert.equal((await client.sessions.get(made.id)).is_pinned, true);
  await client.sessions.unpin(made.id);
  const diagnosis = await client.sessions.diagnosis(made.id);
  assert.deepEqual([diagnosis.code, diagnosis.is_stuck], ['idle', false]);
  const fork = await client.sessions.fork(made.id);
  assert.equal(fork.forked_from_session_id, made.id);
  const lines = (await client.sessions.export(made.id)).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).role),
    ['user', 'agent'],
  );
  assert.equal((await client.sessions.cancel(made.id)).status, 'no_op');
  assert.ok((await client.sessions.stats()).total > 0);
  assert.equal((await client.sessions.chat()).id, (await client.sessions.chat()).id);

  await client.sessions.delete(made.id);
  await assert.rejects(client.sessions.get(made.id), { status: 404 });
});

test('a session that is deleted ends its streams with an error', async () => {
  const sessionId = await openSession();
  const stream = await client.sessions.streamEvents(sessionId, { start: 'live' }).open();
  const waiting = stream.next();
  await client.sessions.delete(sessionId);
  await assert.rejects(waiting, { status: 404 });
});

test('lists of events and messages go on page after page', async () => {
  const sessionId = await openSession();
  await settled(sessionId, 'one');
  await settled(sessionId, 'two');

  const sequences: (number | undefined)[] = [];
  for await (const event of client.sessions.events.list(sessionId, {
    after_sequence: 0,
    limit: 3,
  })) {
    sequences.push(event.sequence);
  }
  const all = await client.sessions.events.list(sessionId, { after_sequence: 0 });
  assert.deepEqual(
    sequences,
    Array.from({ length: all.total }, (_, at) => at + 1),
  );
  const since = await client.sessions.events.list(sessionId, { since_id: all.data[1]?.id });
  assert.equal(since.data[0]?.sequence, 3);
  const last = await client.sessions.events.list(sessionId, { limit: 1 });
  assert.equal(last.data[0]?.type, 'session.idled');
  assert.equal((await client.sessions.events.summary(sessionId)).turn_count, 2);

  const texts: (string | undefined)[] = [];
  for await (const message of client.messages.list(sessionId, { limit: 1 })) {
    texts.push(message.content[0]?.text);
  }
  assert.deepEqual(texts, ['one', 'Echo: one', 'two', 'Echo: two']);
  assert.equal((await client.messages.list(sessionId)).data.length, 4);
});

test('a message that is sent twice with one key is one', async () => {
  const sessionId = await openSession();
  const say = () =>
    client.messages.create(sessionId, { message: { content: 'Once' } }, { idempotencyKey: 'k-1' });
  assert.equal((await say()).id, (await say()).id);
});

test('an upload that is sent twice with one key is one image', async () => {
  const file = picture(8, 8);
  const key = named('key');
  const twice = [
    await client.images.upload({ file }, { idempotencyKey: key }),
    await client.images.upload({ file }, { idempotencyKey: key }),
  ];
  assert.equal(twice[0]?.id, twice[1]?.id);
  const other = await client.images.upload({ file });
  assert.notEqual(other.id, twice[0]?.id);
  assert.equal((await client.images.get(other.id)).width, 8);
  const ids: string[] = [];
  for await (const image of client.images.list({ limit: 1 })) ids.push(image.id);
  assert.ok(ids.includes(other.id) && ids.includes(String(twice[0]?.id)));
});

test('storage: names of keys and secrets', async () => {
  const sessionId = await openSession('session_storage');
  assert.equal((await client.sessions.storage.setSecrets(sessionId, { TOKEN: 'x' })).count, 1);
  assert.equal((await client.sessions.storage.secrets(sessionId)).data[0]?.name, 'TOKEN');
  assert.deepEqual((await client.sessions.storage.keys(sessionId)).data, []);
});

for (const owner of ['session', 'workspace'] as const) {
  test(`files of a ${owner}`, async () => {
    const files = owner === 'session' ? client.files : client.workspaces.files;
    const id =
      owner === 'session'
        ? await openSession()
        : (await client.workspaces.create({ name: named('workspace') })).id;

    await files.create(id, '/notes/a.txt', { content: 'one\ntwo\n' });
    await files.write(id, 'notes/ä b.txt', 'drei');
    await files.createFolder(id, '/empty');
    assert.deepEqual((await files.list(id)).data.map((each) => each.path).sort(), [
      '/empty',
      '/notes',
    ]);
    assert.equal((await files.list(id, '/notes')).data.length, 2);
    assert.equal((await files.list(id, '/', { recursive: true })).data.length, 4);
    assert.equal((await files.read(id, '/notes/a.txt')).content, 'one\ntwo\n');
    assert.equal(Buffer.from(await files.download(id, '/notes/ä b.txt')).toString(), 'drei');
    assert.match(await files.preview(id, '/notes/a.txt'), /two/);
    assert.equal((await files.stat(id, '/notes/a.txt')).size_bytes, 8);
    const found = await files.grep(id, { pattern: '^t' });
    assert.equal(found.data[0]?.matches[0]?.line, 'two');
    await files.move(id, '/notes/a.txt', '/b.txt');
    await files.copy(id, '/b.txt', '/c.txt');
    assert.equal((await files.delete(id, '/c.txt')).deleted, true);
    await files.delete(id, '/notes', { recursive: true });
    await assert.rejects(files.read(id, '/notes/a.txt'), { status: 404 });
  });
}

test('workspaces', async () => {
  const made = await client.workspaces.create({ name: named('workspace') });
  assert.equal((await client.workspaces.get(made.id)).name, made.name);
  const changed = await client.workspaces.update(made.id, { description: 'Shared' });
  assert.equal(changed.description, 'Shared');
  assert.equal((await client.workspaces.list({ search: made.name })).data.length, 1);
  await client.workspaces.archive(made.id);
  await client.workspaces.delete(made.id);
  await assert.rejects(client.workspaces.get(made.id), { status: 404 });
});

test('harnesses', async () => {
  const made = await client.harnesses.create({ name: named('harness'), system_prompt: 'Base.' });
  assert.equal((await client.harnesses.get(made.id)).name, made.name);
  assert.ok((await client.harnesses.list()).data.some((each) => each.id === made.id));
  const changed = await client.harnesses.update(made.id, { description: 'Mine' });
  assert.equal(changed.description, 'Mine');
  assert.notEqual((await client.harnesses.copy(made.id)).id, made.id);
  const [example] = await client.harnesses.examples();
  assert.ok(example && (await client.harnesses.import({ 'from-example': example.name })).id);
  assert.ok((await client.harnesses.preview({ system_prompt: 'x' })).system_prompt);
  assert.equal((await client.harnesses.checkName({ name: made.name })).available, false);
  assert.equal((await client.harnesses.stats(made.id)).session_count, 0);
  assert.ok((await client.harnesses.policies()).policies);
  await client.harnesses.archive(made.id);
});

test('capabilities', async () => {
  const ids: string[] = [];
  for await (const capability of client.capabilities.list({ limit: 3 })) ids.push(capability.id);
  assert.ok(ids.includes('current_time') && new Set(ids).size === ids.length);
  assert.equal((await client.capabilities.get('current_time')).id, 'current_time');
  assert.ok(Array.isArray((await client.capabilities.guardrailExamples()).examples));
});

test('providers and models', async () => {
  const made = await client.providers.create({
    name: named('provider'),
    provider_type: 'openai',
    api_key: 'sk-x',
  });
  assert.equal((await client.providers.get(made.id)).api_key_set, true);
  assert.ok((await client.providers.list()).data.some((each) => each.id === made.id));
  assert.equal((await client.providers.update(made.id, { name: named('p') })).id, made.id);
  const model = await client.providers.addModel(made.id, { model_id: 'gpt-x' });
  assert.equal((await client.providers.models(made.id)).data[0]?.id, model.id);
  assert.ok((await client.providers.config()).drivers.length > 0);

  assert.equal((await client.models.get(model.id)).model_id, 'gpt-x');
  assert.equal((await client.models.update(model.id, { display_name: 'X' })).display_name, 'X');
  assert.ok((await client.models.list()).data.some((each) => each.id === model.id));
  assert.ok((await client.models.policies()).policies);
  await client.models.delete(model.id);
  await client.providers.delete(made.id);
  await assert.rejects(client.providers.get(made.id), { status: 404 });
});

test('MCP servers', async () => {
  const url = 'https://mcp.invalid/';
  const made = await client.mcpServers.create({ name: named('mcp'), url });
  assert.equal((await client.mcpServers.get(made.id)).url, url);
  assert.ok((await client.mcpServers.list()).data.some((each) => each.id === made.id));
  const changed = await client.mcpServers.update(made.id, { description: 'Far' });
  assert.equal(changed.description, 'Far');
  assert.ok((await client.mcpServers.policies()).policies);
  await client.mcpServers.delete(made.id);
});

test('channels: an agent as its users have it', async () => {
  const agent = await client.agents.create(draft());
  const { channels } = client;
  assert.equal((await channels.card(agent.name)).name, agent.name);
  const session = await channels.createSession(agent.name, { title: 'Mine' });
  const said = await channels.createMessage(agent.name, session.id, {
    message: { content: 'Hello' },
  });
  for await (const event of channels.streamEvents(agent.name, session.id)) {
    if (event.type === 'session.idled') break;
  }
  const events = await channels.listEvents(agent.name, session.id, { after_sequence: 0 });
  assert.ok(events.data.some((each) => each.sequence === said.sequence));
  assert.equal((await channels.getSession(agent.name, session.id)).id, session.id);
  assert.equal((await channels.listSessions(agent.name)).data[0]?.id, session.id);
  assert.equal((await channels.cancel(agent.name, session.id)).status, 'no_op');
});

test('durable: what operators see and do', async () => {
  const sessionId = await openSession();
  await settled(sessionId, 'Hello');
  assert.equal((await client.durable.health()).status, 'healthy');
  assert.ok((await client.durable.config()).policies);

  const { data: turns } = await client.durable.workflows({ limit: 5 });
  const turn = turns.find((each) => each.input.session_id === sessionId);
  assert.equal(turn?.status, 'completed');
  const again = await client.durable.workflow(turn.id);
  assert.equal(again.id, turn.id);
  assert.ok((await client.durable.workflowEvents(turn.id)).data.length > 3);
  assert.equal((await client.durable.cancelWorkflow(turn.id)).status, 'no_op');
  const tasks = await client.durable.tasks({ workflow_id: turn.id });
  assert.equal(tasks.total, 1);

  const [worker] = (await client.durable.workers()).data;
  assert.ok(worker);
  const drained = await client.durable.drainWorker(worker.id);
  assert.equal(drained.accepting_tasks, false);
  await client.durable.resumeWorker(worker.id);

  const unknown = turn.id.replace('turn_', '');
  assert.deepEqual((await client.durable.deadLetters()).data, []);
  await assert.rejects(client.durable.deadLetter(unknown), { status: 404 });
  await assert.rejects(client.durable.retryDeadLetter(unknown), { status: 404 });

  const [breaker] = (await client.durable.circuitBreakers()).data;
  assert.ok(breaker);
  assert.equal((await client.durable.openCircuitBreaker(breaker.key)).state, 'open');
  assert.equal((await client.durable.closeCircuitBreaker(breaker.key)).state, 'closed');
  await client.durable.forgetCircuitBreaker(breaker.key);
  assert.equal((await client.durable.circuitBreaker(breaker.key)).state, 'closed');
});

test('what is not built yet says so', async () => {
  await assert.rejects(client.request('GET', '/v1/reports'), {
    status: 501,
    code: 'not_implemented',
  });
});

test('who one is, and keys', async () => {
  assert.equal((await client.auth.config()).mode, 'none');
  assert.deepEqual((await client.auth.me()).roles, ['admin']);
  // Without authentication there is nobody whose key it would be.
  await assert.rejects(client.auth.keys.create({ name: 'mine' }), { status: 409 });
  assert.equal((await client.auth.keys.list()).total, 0);
  await assert.rejects(client.auth.keys.revoke(`key_${'0'.repeat(32)}`), { status: 404 });
});

test('organizations, and what is of persons alone', async () => {
  const made = await client.organizations.create({ name: 'Another' });
  assert.ok((await client.organizations.list()).data.some((each) => each.id === made.id));
  assert.equal((await client.organizations.update(made.id, { name: 'Better' })).name, 'Better');
  assert.equal((await client.organizations.get(made.id)).name, 'Better');
  assert.equal((await client.organizations.members.list(made.id)).total, 0);
  assert.equal((await client.users.list()).total, 0);

  const invited = await client.organizations.invitations.create(made.id, { email: 'a@b.example' });
  assert.ok(invited.token);
  assert.equal((await client.organizations.invitations.list(made.id)).total, 1);
  await client.organizations.invitations.withdraw(made.id, invited.id);

  const nobody = '0'.repeat(32);
  const role = { role: 'admin' as const };
  await assert.rejects(client.organizations.members.setRole(made.id, nobody, role), {
    status: 404,
  });
  await assert.rejects(client.organizations.members.remove(made.id, nobody), { status: 404 });

  // Nobody has logged in.
  const credentials = { email: 'a@b.example', password: 'correct horse 1' };
  await client.auth.logout({});
  for (const refused of [
    () => client.auth.login(credentials),
    () => client.auth.register({ ...credentials, name: 'A' }),
    () => client.auth.refresh({ refresh_token: 'x' }),
    () => client.auth.changePassword({ current_password: 'x', new_password: 'correct horse 1' }),
    () => client.auth.acceptInvitation({ token: invited.token }),
    () => client.auth.logins.list(),
    () => client.auth.logins.end(nobody),
    () => client.organizations.leave(made.id),
    () => client.users.updateMe({ name: 'A' }),
    () => client.users.deleteMe(),
    () => client.users.exportMe(),
    () => client.users.switchOrganization({ organization_id: made.id }),
  ]) {
    await assert.rejects(async () => await refused(), { status: 403 });
  }
});
