// Cases of the WHATWG specification of server-sent events, each read whole and cut everywhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Frame, FrameReader } from 'everruns-sdk';

interface Case {
  name: string;
  stream: string | Uint8Array;
  frames: Partial<Frame>[];
  retryMs?: number;
  lastEventId?: string;
}

const data = (...texts: string[]): Partial<Frame>[] =>
  texts.map((text) => ({ event: 'message', data: text }));

const CASES: Case[] = [
  // --- fields ----------------------------------------------------------------
  { name: 'one line of data', stream: 'data: hello\n\n', frames: data('hello') },
  { name: 'no space after the colon', stream: 'data:hello\n\n', frames: data('hello') },
  { name: 'only the first space goes', stream: 'data:  hello \n\n', frames: data(' hello ') },
  { name: 'a tab stays', stream: 'data:\thello\n\n', frames: data('\thello') },
  { name: 'the value may hold colons', stream: 'data: a:b: c\n\n', frames: data('a:b: c') },
  {
    name: 'several lines of data',
    stream: 'data: a\ndata: b\ndata: c\n\n',
    frames: data('a\nb\nc'),
  },
  { name: 'a field without colon is empty', stream: 'data\n\n', frames: data('') },
  { name: 'two empty lines of data', stream: 'data\ndata\n\n', frames: data('\n') },
  {
    name: 'an empty line of data among others',
    stream: 'data: a\ndata:\ndata: b\n\n',
    frames: data('a\n\nb'),
  },
  { name: 'a name', stream: 'event: add\ndata: 1\n\n', frames: [{ event: 'add', data: '1' }] },
  {
    name: 'the last name counts',
    stream: 'event: a\nevent: b\ndata: 1\n\n',
    frames: [{ event: 'b', data: '1' }],
  },
  { name: 'an empty name is no name', stream: 'event: a\nevent\ndata: 1\n\n', frames: data('1') },
  {
    name: 'a name holds for one event',
    stream: 'event: add\ndata: 1\n\ndata: 2\n\n',
    frames: [{ event: 'add', data: '1' }, ...data('2')],
  },
  {
    name: 'a name without data is forgotten',
    stream: 'event: add\n\ndata: 2\n\n',
    frames: data('2'),
  },
  {
    name: 'names of fields are exact',
    stream: 'Data: a\n data: b\ndata : c\n\ndata: d\n\n',
    frames: data('d'),
  },
  {
    name: 'unknown fields are nothing',
    stream: 'other: x\ndata: a\n: c\nfoo\n\n',
    frames: data('a'),
  },
  {
    name: 'a line separator of Unicode ends nothing',
    stream: 'data: a\u2028b\u0085c\n\n',
    frames: data('a\u2028b\u0085c'),
  },
  { name: 'a form feed ends nothing', stream: 'data: a\fb\vc\n\n', frames: data('a\fb\vc') },
  // --- comments --------------------------------------------------------------
  { name: 'comments alone', stream: ': heartbeat\n\n:\n\n', frames: [] },
  { name: 'a comment within', stream: 'data: a\n: no\ndata: b\n\n', frames: data('a\nb') },
  { name: 'a comment that looks like a field', stream: ':data: a\n\n', frames: [] },
  // --- dispatching -----------------------------------------------------------
  { name: 'empty lines dispatch nothing', stream: '\n\n\n', frames: [] },
  {
    name: 'many empty lines between',
    stream: 'data: a\n\n\n\ndata: b\n\n',
    frames: data('a', 'b'),
  },
  {
    name: 'what is cut off by the end is discarded',
    stream: 'data: a\n\ndata: b\n',
    frames: data('a'),
  },
  { name: 'even without its line end', stream: 'data: a\n\ndata: b', frames: data('a') },
  {
    name: "the specification's stock example",
    stream: 'data: YHOO\ndata: +2\ndata: 10\n\n',
    frames: data('YHOO\n+2\n10'),
  },
  {
    name: "the specification's four blocks",
    stream:
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
    frames: [
      { event: 'message', data: 'first event', id: '1' },
      { event: 'message', data: 'second event', id: '' },
      { event: 'message', data: ' third event', id: '' },
    ],
    lastEventId: '',
  },
  {
    name: "the specification's two and a half empty events",
    stream: 'data\n\ndata\ndata\n\ndata:',
    frames: data('', '\n'),
  },
  {
    name: "the specification's two identical events",
    stream: 'data:test\n\ndata: test\n\n',
    frames: data('test', 'test'),
  },
  // --- line ends -------------------------------------------------------------
  { name: 'CR', stream: 'data: a\rdata: b\r\rdata: c\r\r', frames: data('a\nb', 'c') },
  { name: 'CRLF', stream: 'data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', frames: data('a\nb', 'c') },
  { name: 'all three mixed', stream: 'data: a\r\ndata: b\rdata: c\n\r\n', frames: data('a\nb\nc') },
  { name: 'LF CR is two ends', stream: 'data: a\n\rdata: b\n\r', frames: data('a', 'b') },
  { name: 'CRLF after CR', stream: 'data: a\r\r\ndata: b\n\n', frames: data('a', 'b') },
  // --- byte order mark and characters ----------------------------------------
  { name: 'a byte order mark at the start', stream: '\ufeffdata: a\n\n', frames: data('a') },
  {
    name: 'a second one belongs to the field',
    stream: '\ufeff\ufeffdata: a\n\ndata: b\n\n',
    frames: data('b'),
  },
  { name: 'one later is text', stream: 'data: \ufeffa\n\n', frames: data('\ufeffa') },
  {
    name: 'characters of two to four bytes',
    stream: 'data: äé€\u{1f600}\n\n',
    frames: data('äé€\u{1f600}'),
  },
  {
    name: 'bytes that are no UTF-8',
    stream: new Uint8Array([...Buffer.from('data: a'), 0xff, ...Buffer.from('b\n\n')]),
    frames: data('a\ufffdb'),
  },
  // --- ids -------------------------------------------------------------------
  {
    name: 'an id lasts until the next',
    stream: 'id: 7\ndata: a\n\ndata: b\n\nid: 8\ndata: c\n\n',
    frames: [
      { data: 'a', id: '7' },
      { data: 'b', id: '7' },
      { data: 'c', id: '8' },
    ],
    lastEventId: '8',
  },
  {
    name: 'an id without data counts',
    stream: 'id: 7\n\ndata: a\n\n',
    frames: [{ data: 'a', id: '7' }],
    lastEventId: '7',
  },
  {
    name: 'an id with NUL is ignored',
    stream: 'id: 7\n\nid: 8\0\ndata: a\n\n',
    frames: [{ data: 'a', id: '7' }],
    lastEventId: '7',
  },
  {
    name: 'an id that was cut off does not count',
    stream: 'id: 7\ndata: a\n\nid: 8\n',
    frames: [{ data: 'a', id: '7' }],
    lastEventId: '7',
  },
  // --- retry -----------------------------------------------------------------
  { name: 'retry', stream: 'retry: 3000\n\n', frames: [], retryMs: 3000 },
  { name: 'retry with leading zeros', stream: 'retry: 010\n', frames: [], retryMs: 10 },
  ...['', '-1', '1.5', '1e3', '10s', ' 10', '٣'].map((value) => ({
    name: `retry of ${JSON.stringify(value)} is none`,
    stream: `retry: ${value}\ndata: a\n\n`,
    frames: data('a'),
  })),
];

function read(chunks: Uint8Array[]) {
  const reader = new FrameReader();
  return { reader, frames: chunks.flatMap((chunk) => reader.push(chunk)) };
}

function check(the: Case, chunks: Uint8Array[]) {
  const { reader, frames } = read(chunks);
  assert.equal(frames.length, the.frames.length, JSON.stringify(frames));
  the.frames.forEach((frame, at) => {
    assert.deepEqual({ ...frames[at], ...frame }, frames[at]);
  });
  assert.equal(reader.retryMs, the.retryMs);
  if (the.lastEventId !== undefined) assert.equal(reader.lastEventId, the.lastEventId);
}

for (const the of CASES) {
  test(the.name, () => {
    const bytes = typeof the.stream === 'string' ? Buffer.from(the.stream) : the.stream;
    check(the, [bytes]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      check(the, [bytes.subarray(0, cut), bytes.subarray(cut)]);
    }
    check(
      the,
      Array.from(bytes, (byte) => new Uint8Array([byte])),
    );
    check(
      the,
      Array.from(bytes).flatMap((byte) => [new Uint8Array([byte]), new Uint8Array()]),
    );
  });
}
