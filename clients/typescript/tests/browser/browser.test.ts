// The browser build as a page uses it: without a bundler, from another origin than the server's.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../support.ts';

const { CHROMIUM = 'chromium', EVERRUNS_URL = '', PAGE_PORT = '0', SCREENSHOT } = process.env;
const ROOT = new URL('../../', import.meta.url);
const KINDS: Record<string, string> = { js: 'text/javascript', html: 'text/html' };

/** Serves the page and the build as files. */
const pages = createServer(async (request, response) => {
  const path = new URL(request.url ?? '', 'http://page').pathname;
  try {
    const content = await readFile(new URL(`.${path}`, ROOT));
    const kind = KINDS[path.split('.').pop() ?? ''] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': kind }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});

interface Answer {
  id: number;
  result: Record<string, unknown>;
  error?: { message: string };
}

/** One page of a browser, over its DevTools protocol. */
class Page {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #count = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const answer: Answer = JSON.parse(String(data));
      this.#waiting.get(answer.id)?.(answer);
    };
  }

  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answered;
    if (error) throw new Error(error.message);
    return result;
  }

  async value(expression: string): Promise<unknown> {
    const { result } = await this.send('Runtime.evaluate', { expression, returnByValue: true });
    return (result as { value?: unknown }).value;
  }
}

let folder: string;
let browser: ReturnType<typeof spawn>;

before(async () => {
  pages.listen(Number(PAGE_PORT), '127.0.0.1');
  await once(pages, 'listening');
  folder = await mkdtemp(join(tmpdir(), 'chromium-'));
  const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const own = ['--remote-debugging-port=0', `--user-data-dir=${folder}`, '--no-first-run'];
  browser = spawn(CHROMIUM, [...options, ...own, '--window-size=800,600', 'about:blank']);
});

after(async () => {
  browser.kill('SIGKILL');
  await once(browser, 'close');
  pages.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** The browser says in a file where it listens. */
async function openPage(): Promise<Page> {
  const file = join(folder, 'DevToolsActivePort');
  let port = '';
  await until(async () => {
    port = (await readFile(file, 'utf8').catch(() => '')).split('\n')[0] ?? '';
    return port;
  }, 'the browser listens');
  const targets = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
  const target = targets.find((each: { type: string }) => each.type === 'page');
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  return new Page(socket);
}

test('a page uploads a picture, asks, and shows the answer as it comes', async () => {
  const page = await openPage();
  const address = `http://127.0.0.1:${PAGE_PORT}/tests/browser/page.html`;
  await page.send('Page.enable');
  await page.send('Page.navigate', {
    url: `${address}?server=${encodeURIComponent(EVERRUNS_URL)}`,
  });

  await until(async () => {
    const title = String(await page.value('document.title'));
    assert.doesNotMatch(title, /^failed/);
    return title === 'done';
  }, 'the page is done');

  const seen = (await page.value('window.seen')) as Record<string, string | number>;
  assert.equal(seen.text, seen.expected);
  assert.equal(seen.final, seen.expected);
  assert.ok(Number(seen.deltas) > 3, `${seen.deltas} deltas`);
  assert.ok(Number(seen.thumbnail) > 0);
  assert.equal(seen.status, 404);
  assert.equal(await page.value('document.getElementById("answer").textContent'), seen.expected);
  const { data } = await page.send('Page.captureScreenshot', { format: 'png' });
  const picture = Buffer.from(String(data), 'base64');
  assert.equal(picture.readUInt32BE(0), 0x89504e47);
  if (SCREENSHOT) await writeFile(SCREENSHOT, picture);
});
