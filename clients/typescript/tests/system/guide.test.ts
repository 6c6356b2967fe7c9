// The guide to messages, section by section: the same calls with the same shapes, in our words.

import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EverrunsError, type MessagePart } from 'everruns-sdk';
import { client, openSession, picture, settled, simulating, sizeOf } from './support.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const WEATHER = { id: 'call_w1', name: 'get_weather', arguments: { location: 'Oslo' } };
const TOOL_TURN = simulating({
  response: {
    type: 'scripted',
    turns: [{ text: 'One moment.', tool_calls: [WEATHER] }, { text: 'Windy.' }],
  },
});

let folder: string;
let photo: string;
before(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'guide-'));
  photo = join(folder, 'harbour.png');
  await fs.writeFile(photo, picture(400, 300));
});
after(() => fs.rm(folder, { recursive: true }));

/** Every section of the guide that has code, and its twin. */
const TWINS: Record<string, () => Promise<void>> = {
  async 'Send a message'() {
    const sessionId = await openSession();
    const message = await client.messages.create(sessionId, {
      message: { content: [{ type: 'text', text: 'Will it rain in Bergen?' }] },
    });

    assert.match(message.id, UUID);
    assert.equal(message.role, 'user');
    assert.deepEqual(message.content, [{ type: 'text', text: 'Will it rain in Bergen?' }]);
    assert.match(message.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(!('controls' in message) && !('metadata' in message));
  },

  async 'Text messages'() {
    const sessionId = await openSession();
    await settled(sessionId, 'Good morning!');
    const [asked, answer] = (await client.messages.list(sessionId)).data;
    assert.equal(asked?.content[0]?.text, 'Good morning!');
    assert.equal(answer?.content[0]?.text, 'Echo: Good morning!');
  },

  async 'Messages with images'() {
    const sessionId = await openSession();
    const image = await client.images.upload({
      file: createReadStream(photo),
      session_id: sessionId,
    });
    const sent = await client.messages.create(sessionId, {
      message: {
        content: [
          { type: 'text', text: 'Which harbour is this?' },
          { type: 'image_file', image_id: image.id, filename: 'harbour.png' },
        ],
      },
    });

    assert.equal(image.session_id, sessionId);
    assert.deepEqual(sent.content[1], {
      type: 'image_file',
      image_id: image.id,
      filename: 'harbour.png',
    });
  },

  async 'Generation controls'() {
    const sessionId = await openSession();
    const controls = { max_tokens: 5, temperature: 0.3 };
    const message = { content: [{ type: 'text' as const, text: 'Some lines about the sea' }] };
    const sent = await client.messages.create(sessionId, { message: { ...message, controls } });
    assert.deepEqual(sent.controls, controls);

    const short = { ...simulating({ response: { type: 'lorem' } }), max_tokens: 5 };
    const events = await settled(await openSession(), 'Some lines about the sea', short);
    const answer = events.find((each) => each.type === 'output.message.completed');
    assert.ok(answer && (answer.data.message.content[0]?.text?.length ?? 0) <= 24);
  },

  async 'Custom metadata'() {
    const metadata = { source: 'survey', survey_id: '77', customer: { id: 'c_9' } };
    const sessionId = await openSession();
    await client.messages.create(sessionId, {
      message: { content: [{ type: 'text', text: 'Sum this answer up' }], metadata },
    });
    const [stored] = (await client.messages.list(sessionId)).data;
    assert.deepEqual(stored?.metadata, metadata);
  },

  async 'List messages'() {
    const sessionId = await openSession();
    await settled(sessionId, 'one');
    await settled(sessionId, 'two');
    const response = await client.messages.list(sessionId);
    const shown: string[] = [];
    response.data.forEach((message) => {
      shown.push(`${message.role}: ${message.content[0]?.text || 'no text'}`);
    });

    assert.equal(response.total, 4);
    assert.deepEqual(shown, ['user: one', 'agent: Echo: one', 'user: two', 'agent: Echo: two']);
  },

  async 'Message roles'() {
    const sessionId = await openSession('test_weather');
    await settled(sessionId, 'How is Oslo?', TOOL_TURN);
    const heard = { user: [], agent: [], tool: [], tool_result: [] } as Record<
      string,
      (string | undefined)[]
    >;
    for (const message of (await client.messages.list(sessionId)).data) {
      switch (message.role) {
        case 'user':
        case 'agent':
        case 'tool':
          heard[message.role]?.push(message.content[0]?.text);
          break;
        default:
          assert.fail(message.role);
      }
    }
    const expected = { user: ['How is Oslo?'], agent: ['One moment.', 'Windy.'], tool_result: [] };
    const [result, ...others] = heard.tool ?? [];
    assert.match(result ?? '', /^\{.*Oslo/);
    assert.deepEqual(others, []);
    assert.deepEqual({ ...heard, tool: [] }, { ...expected, tool: [] });
  },

  async 'Content types: text, image'() {
    const image = await client.images.upload({ file: await fs.readFile(photo) });
    const text: MessagePart = { type: 'text', text: 'Look' };
    const file: MessagePart = { type: 'image_file', image_id: image.id, filename: 'a.png' };
    const sessionId = await openSession();
    await client.messages.create(sessionId, { message: { content: [text, file] } });
    assert.deepEqual((await client.messages.list(sessionId)).data[0]?.content, [text, file]);
  },

  async 'Content types: tool calls, tool results'() {
    const sessionId = await openSession('test_weather');
    await settled(sessionId, 'How is Oslo?', TOOL_TURN);
    const [, asking, result] = (await client.messages.list(sessionId)).data;
    assert.deepEqual(asking?.content[1], { type: 'tool_call', ...WEATHER });
    const [part] = result?.content ?? [];
    assert.ok(part?.type === 'tool_result');
    assert.equal(part.tool_call_id, 'call_w1');
    assert.equal(part.text, part.content);
    assert.deepEqual(JSON.parse(part.content), part.result);
  },

  async 'Upload an image'() {
    const image = await client.images.upload({ file: createReadStream(photo) });
    assert.match(image.id, UUID);
    assert.equal(image.filename, 'harbour.png');
    assert.equal(image.size_bytes, (await fs.stat(photo)).size);
    assert.equal(image.has_thumbnail, true);
  },

  async 'List images'() {
    const { id } = await client.images.upload({ file: picture(4, 4), filename: 'tiny.png' });
    const images = await client.images.list();
    const listed = images.data.map((each) => `${each.id} ${each.filename} ${each.size_bytes > 0}`);
    assert.ok(listed.includes(`${id} tiny.png true`));
    assert.ok(images.total >= images.data.length);
  },

  async 'Download image, get thumbnail'() {
    const image = await client.images.upload({ file: createReadStream(photo) });
    const copy = join(folder, 'copy.png');
    await fs.writeFile(copy, await client.images.download(image.id));
    assert.deepEqual(await fs.readFile(copy), await fs.readFile(photo));

    const small = join(folder, 'small');
    await fs.writeFile(small, await client.images.thumbnail(image.id));
    assert.deepEqual(sizeOf(await fs.readFile(small)), [200, 150]);
  },

  async 'Delete image'() {
    const { id } = await client.images.upload({ file: picture(4, 4) });
    assert.equal(await client.images.delete(id), undefined);
    await assert.rejects(client.images.download(id), { name: 'EverrunsError', status: 404 });
  },

  async 'Error handling'() {
    const sessionId = await openSession();
    const missing = '01933b5a-0000-7000-8000-00000000dead';
    const wrong: [status: number, session: string, content: unknown][] = [
      [400, sessionId, 7],
      [404, missing, [{ type: 'text', text: 'Anybody there?' }]],
      [422, sessionId, []],
    ];
    for (const [status, session, content] of wrong) {
      try {
        await client.messages.create(session, { message: { content: content as string } });
        assert.fail('it was taken');
      } catch (error) {
        assert.ok(error instanceof EverrunsError);
        assert.equal(error.status, status);
        assert.ok(error.message && error.code !== 'unknown' && error.requestId);
        assert.equal(error.errors.length > 0, status !== 404);
      }
    }
  },

  async 'Handle LLM errors'() {
    const sessionId = await openSession();
    const outcome = async (controls: Record<string, unknown>) => {
      await client.messages.create(sessionId, {
        message: { content: [{ type: 'text', text: 'Hi' }], controls },
      });
      for await (const event of client.sessions.streamEvents(sessionId)) {
        if (event.type === 'turn.failed') return [event.data.error_code, typeof event.data.error];
        if (event.type === 'output.message.completed') return 'answered';
      }
      throw new Error('the stream ended');
    };
    const failing = simulating({ response: { type: 'error', message: 'no such key' } });
    assert.deepEqual(await outcome(failing), ['llm_error', 'string']);
    assert.equal(await outcome({}), 'answered');
    assert.deepEqual(await outcome(failing), ['llm_error', 'string']);
  },

  async 'Best practices: prompts, metadata, token limits'() {
    const sessionId = await openSession();
    const metadata = { source: 'form', urgent: 'yes' };
    for (const max_tokens of [50, 900]) {
      const content = [{ type: 'text' as const, text: `In about ${max_tokens} tokens, please` }];
      const sent = await client.messages.create(sessionId, {
        message: { content, metadata, controls: { max_tokens } },
      });
      assert.deepEqual([sent.metadata, sent.controls], [metadata, { max_tokens }]);
    }
  },
};

for (const [section, twin] of Object.entries(TWINS)) test(section, twin);
