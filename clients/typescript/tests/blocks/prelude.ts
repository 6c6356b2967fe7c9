// What the code of a guide finds around it: a client, a session with something in it, files.

import { createReadStream } from 'node:fs';
import * as promises from 'node:fs/promises';
import { EverrunsClient } from 'everruns-sdk';
import { picture, simulating } from '../system/support.ts';

const { EVERRUNS_URL = 'http://localhost:9300', BLOCK_MODEL } = process.env;
const own = new EverrunsClient({ baseUrl: EVERRUNS_URL });

/** As guides have it that bind `fs` to promises and still open streams. */
export const fs = { ...promises, createReadStream };

await fs.writeFile('screenshot.png', picture(320, 240));
await fs.writeFile('photo.jpg', picture(400, 300));

const call = { name: 'get_weather', arguments: { location: 'Tokyo' } };
const turns = [{ text: 'Let me look.', tool_calls: [call] }, { text: '14 degrees and windy.' }];
const session = await own.sessions.create({ capabilities: ['test_weather'] });
await own.sessions.run(session.id, {
  message: {
    content: [{ type: 'text', text: 'What is the weather in Tokyo?' }],
    controls: simulating({ response: { type: 'scripted', turns } }),
  },
});
const image = await own.images.upload({ file: createReadStream('photo.jpg') });

export const sessionId = session.id;

/** Ids that a guide leaves open stand for the session and the image that are here. */
function withRealIds(url: string): string {
  return url
    .replace(/session_[0-9a-f]*-?\.\.\./, session.id)
    .replace(/images\/[0-9a-f]+-?\.\.\./, `images/${image.id}`);
}

/** The model of one run can be made to fail or to be slow. */
function withModel(body: BodyInit | null | undefined): BodyInit | null {
  if (BLOCK_MODEL === undefined || typeof body !== 'string') return body ?? null;
  const parsed = JSON.parse(body);
  if (parsed.message !== undefined) {
    parsed.message.controls = {
      ...parsed.message.controls,
      ...simulating(JSON.parse(BLOCK_MODEL)),
    };
  }
  return JSON.stringify(parsed);
}

export const client = new EverrunsClient({
  baseUrl: EVERRUNS_URL,
  fetch: (input, init) =>
    fetch(withRealIds(String(input)), { ...init, body: withModel(init?.body) }),
});
