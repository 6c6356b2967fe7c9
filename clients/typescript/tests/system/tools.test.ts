// Tools that this client runs, approvals, and turns that end otherwise than with an answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EverrunsTurnError, type SessionEvent, type Tool, type ToolFunction } from 'everruns-sdk';
import { client, simulating, textPart } from './support.ts';

const LOOK_UP: Tool = {
  type: 'client_side',
  name: 'look_up',
  description: 'Looks a word up',
  parameters: { type: 'object', properties: { word: { type: 'string' } } },
};

const call = (word: string, name = 'look_up') => ({
  id: `call_${word}`,
  name,
  arguments: { word },
});

const scripted = (...turns: object[]) => simulating({ response: { type: 'scripted', turns } });

async function sessionWith(...tools: Tool[]): Promise<string> {
  return (await client.sessions.create({ tools })).id;
}

async function run(
  tools: Record<string, ToolFunction>,
  calls: object[],
  more: Parameters<typeof client.sessions.run>[1] | object = {},
) {
  const sessionId = await sessionWith(LOOK_UP, { ...LOOK_UP, name: 'forget' });
  const controls = scripted({ text: 'I look.', tool_calls: calls }, { text: 'Found.' });
  const message = { content: [textPart('Look')], controls };
  const result = await client.sessions.run(sessionId, { message, tools, ...more });
  const messages = (await client.messages.list(sessionId)).data;
  const parts = messages.flatMap((each) => each.content);
  return { result, results: parts.filter((part) => part.type === 'tool_result'), sessionId };
}

test('a turn without tools is an answer', async () => {
  const sessionId = await sessionWith();
  const seen: SessionEvent[] = [];
  const onEvent = (event: SessionEvent) => void seen.push(event);

  const { text, message, turn } = await client.sessions.run(sessionId, { message: 'Hi', onEvent });

  assert.equal(text, 'Echo: Hi');
  assert.equal(message.id, turn.data.final_message_id);
  assert.equal(seen.at(-1)?.type, 'session.idled');
  assert.ok(seen.some((each) => each.type === 'turn.started'));
});

test('tools are run side by side, each with its own call', async () => {
  const running = new Set<string>();
  let most = 0;
  const look_up: ToolFunction = async ({ word }, { toolCallId, signal }) => {
    assert.equal(toolCallId, `call_${word}`);
    assert.equal(signal.aborted, false);
    running.add(word);
    most = Math.max(most, running.size);
    await new Promise((resolve) => setTimeout(resolve, 50));
    running.delete(word);
    return { word, found: true };
  };

  const { result, results } = await run({ look_up }, [call('a'), call('b'), call('c')]);

  assert.equal(result.text, 'Found.');
  assert.equal(most, 3);
  assert.deepEqual(
    results.map((part) => [part.tool_call_id, part.result, part.error]),
    ['a', 'b', 'c'].map((word) => [`call_${word}`, { word, found: true }, null]),
  );
});

test('what a tool throws, lacks, or says too much of, the model is told as an error', async () => {
  const look_up: ToolFunction = ({ word }) => {
    if (word === 'bad') throw new Error('no such word');
    return word === 'long' ? 'x'.repeat(200_000) : undefined;
  };

  const { result, results } = await run({ look_up }, [
    call('bad'),
    call('long'),
    call('void'),
    call('other', 'forget'),
  ]);

  assert.equal(result.text, 'Found.');
  const [bad, long, none, other] = results;
  assert.equal(bad?.error, 'no such word');
  assert.match(String(long?.error), /larger/);
  assert.deepEqual([none?.result, none?.error], [null, null]);
  assert.equal(other?.error, 'This client has no tool forget');
});

test('whoever answers first counts; a newer message ends the wait for a slow tool', async () => {
  const sessionId = await sessionWith(LOOK_UP);
  const controls = scripted({ tool_calls: [call('slow')] }, { text: 'Never mind.' });
  let steered = false;
  const look_up: ToolFunction = async () => {
    await client.messages.create(sessionId, { message: { content: 'Leave it' } });
    steered = true;
    return 'too late';
  };

  const { text } = await client.sessions.run(sessionId, {
    message: { content: [textPart('Look')], controls },
    tools: { look_up },
  });

  assert.ok(steered);
  assert.notEqual(text, '');
});

test('calls that a person must allow are asked for, and run when they are', async () => {
  const guarded: Tool = { ...LOOK_UP, policy: 'requires_approval' };
  for (const decision of ['allow', 'reject'] as const) {
    const sessionId = await sessionWith(guarded);
    const ran: string[] = [];
    const { text } = await client.sessions.run(sessionId, {
      message: {
        content: [textPart('Look')],
        controls: scripted({ tool_calls: [call('a')] }, { text: 'Done.' }),
      },
      tools: { look_up: ({ word }) => ran.push(word) },
      approve: (asked) => (asked.name === 'look_up' ? decision : 'reject'),
    });
    assert.equal(text, 'Done.');
    assert.deepEqual(ran, decision === 'allow' ? ['a'] : []);
  }
});

test('the plain calls do the same by hand', async () => {
  const sessionId = await sessionWith(LOOK_UP);
  const controls = scripted({ tool_calls: [call('a')] }, { text: 'Done.' });
  await client.messages.create(sessionId, {
    message: { content: [textPart('Look')], controls },
  });
  for await (const event of client.sessions.streamEvents(sessionId)) {
    if (event.type === 'tool.call_requested') {
      const waiting = await client.sessions.get(sessionId);
      assert.equal(waiting.status, 'waitingfortoolresults');
      assert.equal(waiting.pending_tool_calls[0]?.tool_call_id, 'call_a');
      const answer = await client.sessions.submitToolResults(
        sessionId,
        event.data.tool_calls.map(({ id }) => ({ tool_call_id: id, result: 1 })),
      );
      assert.deepEqual(answer, { accepted: 1, status: 'active' });
    }
    if (event.type === 'turn.completed') break;
  }
  await assert.rejects(
    client.sessions.submitToolResults(sessionId, [{ tool_call_id: 'call_a', result: 1 }]),
    { status: 409, message: /not waiting for tool results/ },
  );
});

test('a turn that fails is an error with its code', async () => {
  const sessionId = await sessionWith();
  const controls = simulating({ response: { type: 'error', message: 'no key' } });
  const failing = client.sessions.run(sessionId, {
    message: { content: [textPart('Hi')], controls },
  });
  await assert.rejects(failing, (error: unknown) => {
    assert.ok(error instanceof EverrunsTurnError);
    assert.equal(error.type, 'turn.failed');
    assert.equal(error.code, 'llm_error');
    assert.match(error.turnId, /^turn_/);
    return true;
  });
});

test('so is one that is cancelled, with tools that still run told', async () => {
  const sessionId = await sessionWith(LOOK_UP);
  const controls = scripted({ tool_calls: [call('a')] }, { text: 'Never said.' });
  let wasTold = false;
  const look_up: ToolFunction = (_, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        wasTold = true;
        resolve(null);
      });
      void client.sessions.cancel(sessionId);
    });
  const running = client.sessions.run(sessionId, {
    message: { content: [textPart('Look')], controls },
    tools: { look_up },
  });
  await assert.rejects(running, { name: 'EverrunsTurnError', type: 'turn.cancelled' });
  assert.ok(wasTold);
});

test('a signal ends the wait, and leaves the turn alone', async () => {
  const sessionId = await sessionWith();
  const abort = new AbortController();
  const reason = new Error('gone home');
  const controls = simulating({
    response: { type: 'fixed', text: 'Late' },
    first_token_delay_ms: 300,
  });
  const running = client.sessions.run(sessionId, {
    message: { content: [textPart('Hi')], controls },
    signal: abort.signal,
    onEvent: (event) => event.type === 'turn.started' && abort.abort(reason),
  });
  await assert.rejects(running, reason);
  for await (const event of client.sessions.streamEvents(sessionId, { start: 'turn' })) {
    if (event.type === 'turn.completed') break;
  }
});
