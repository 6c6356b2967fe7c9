// Against the real server whose address is in EVERRUNS_URL.

import { crc32, deflateSync } from 'node:zlib';
import { EverrunsClient, type SessionEvent } from 'everruns-sdk';

export const URL_OF_SERVER = process.env.EVERRUNS_URL ?? 'http://localhost:9300';
export const client = new EverrunsClient({ baseUrl: URL_OF_SERVER });

/** How the simulated model is to answer one message. */
export const simulating = (llmsim: Record<string, unknown>) => ({ hints: { llmsim } });

/** A session of its own, with the id alone. */
export async function openSession(...capabilities: string[]): Promise<string> {
  return (await client.sessions.create({ capabilities })).id;
}

export const textPart = (text: string) => ({ type: 'text' as const, text });

/** Read a turn to its end. */
export async function readTurn(sessionId: string, after_sequence: number): Promise<SessionEvent[]> {
  const seen: SessionEvent[] = [];
  for await (const event of client.sessions.streamEvents(sessionId, { after_sequence })) {
    seen.push(event);
    if (event.type === 'session.idled') break;
  }
  return seen;
}

/** Say something and wait for the end of its turn. */
export async function settled(
  sessionId: string,
  text: string,
  controls: Record<string, unknown> = {},
): Promise<SessionEvent[]> {
  const message = { content: [textPart(text)], controls };
  const sent = await client.messages.create(sessionId, { message });
  return await readTurn(sessionId, sent.sequence);
}

/** A picture with a bit of a gradient; another seed makes another file. */
export function picture(width: number, height: number, seed = Math.random()): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0, at = 0; y < height; y++) {
    at++;
    for (let x = 0; x < width; x++, at += 3) {
      rows[at] = (255 * x) / width;
      rows[at + 1] = (255 * y) / height;
      rows[at + 2] = 255 * seed;
    }
  }
  rows.writeUInt32BE(Math.floor(seed * 0xffffffff), 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND')];
  return Buffer.concat([signature, ...chunks]);
}

function chunk(name: string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const length = Buffer.alloc(4);
  const check = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Width and height, from the file's own header. */
export function sizeOf(file: Uint8Array): [width: number, height: number] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) === 0x89504e47) return [view.getUint32(16), view.getUint32(20)];
  for (let at = 2; at < file.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    const isFrame = marker >= 0xffc0 && marker <= 0xffc2;
    if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
  }
  throw new Error('neither PNG nor JPEG');
}
