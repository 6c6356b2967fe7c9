// The guide's complete example, in our words; run with instant and with slow models.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EverrunsClient, EverrunsError } from 'everruns-sdk';
import { URL_OF_SERVER } from './support.ts';

async function converse(questions: string[]): Promise<string[]> {
  const client = new EverrunsClient({ baseUrl: URL_OF_SERVER });
  const agent = await client.agents.create({
    name: 'Assistant',
    system_prompt: 'Answer in one sentence.',
  });
  const session = await client.sessions.create({ agent_id: agent.id });

  async function ask(question: string): Promise<string> {
    try {
      await client.messages.create(session.id, {
        message: { content: [{ type: 'text', text: question }] },
      });
      for await (const event of client.sessions.streamEvents(session.id)) {
        if (event.type === 'output.message.completed') {
          return event.data.message.content[0]?.text || '';
        }
        if (event.type === 'turn.failed') throw new Error(event.data.error);
      }
    } catch (error) {
      if (error instanceof EverrunsError) throw new Error(`refused: ${error.message}`);
      throw error;
    }
    throw new Error('the stream ended');
  }

  const answers: string[] = [];
  for (const question of questions) answers.push(await ask(question));
  return answers;
}

test('each question gets its own answer, however often it is asked', async () => {
  const questions = ['What is a fjord?', 'And a skerry?', 'And a skerry?', 'What is a fjord?'];
  const answers = questions.map((question) => `Echo: ${question}`);
  assert.deepEqual(await converse(questions), answers);
  assert.deepEqual(await converse(questions), answers);
});

test('conversations side by side do not mix', async () => {
  const each = Array.from({ length: 8 }, (_, at) => [`first ${at}`, `second ${at}`]);
  const answers = await Promise.all(each.map(converse));
  assert.deepEqual(
    answers,
    each.map((pair) => pair.map((question) => `Echo: ${question}`)),
  );
});
