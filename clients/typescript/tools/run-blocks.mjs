// Run the code of a guide, block by block, as it stands.
//
//   node tools/run-blocks.mjs <guide> [folder]      against EVERRUNS_URL, or http://localhost:9300
//
// A guide is Markdown with fenced code, or text in which code simply follows prose.  Around a
// block is put only what tests/blocks/prelude.ts has, its imports go to the top, and an object
// literal that stands alone becomes an expression.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = new URL('../', import.meta.url).pathname;
const OWN = ['EverrunsClient', 'EverrunsError'];
const FAILING = JSON.stringify({ response: { type: 'error', message: 'no such key' } });

const BEGINS_CODE = /^(const|let|import|async|await|try|for|switch|\/\/|\{|[\w.]+\()/;
const GOES_ON = /^([ \t]+\S|[)\]}]|const|let|import|async|await|try|for|switch|\/\/|[\w.]+\()/;

/** The blocks of a guide, each with the heading or sentence before it. */
function blocksOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  return path.endsWith('.md') ? fenced(lines) : unfenced(lines);
}

function fenced(lines) {
  const blocks = [];
  let title = '';
  let code;
  for (const line of lines) {
    if (code === undefined && /^#+ /.test(line)) title = line.replace(/^#+ /, '');
    if (code === undefined && /^```(ts|typescript)$/.test(line)) code = [];
    else if (code !== undefined && line === '```') {
      blocks.push({ title, code: code.join('\n') });
      code = undefined;
    } else code?.push(line);
  }
  return blocks;
}

function unfenced(lines) {
  const blocks = [];
  let title = '';
  for (let at = 0; at < lines.length; at++) {
    if (!BEGINS_CODE.test(lines[at])) {
      title = lines[at].trim() || title;
      continue;
    }
    let end = at + 1;
    for (let next = end; next < lines.length; next++) {
      if (lines[next].trim() === '') continue;
      if (!GOES_ON.test(lines[next])) break;
      end = next + 1;
    }
    blocks.push({ title, code: lines.slice(at, end).join('\n') });
    at = end - 1;
  }
  return blocks;
}

/** A module around the block. */
function moduleOf(code) {
  const imports = code.match(/^import .*$/gm) ?? [];
  const rest = code.replace(/^import .*$/gm, '');
  const isImported = (name) => imports.some((line) => new RegExp(`\\b${name}\\b`).test(line));
  const names = OWN.filter((name) => !isImported(name) && new RegExp(`\\b${name}\\b`).test(rest));
  const given = ['client', 'sessionId', 'fs'].filter(
    (name) => !isImported(name) && !new RegExp(`(const|let) ${name}\\b`).test(rest),
  );
  return [
    ...imports,
    names.length > 0 ? `import { ${names.join(', ')} } from 'everruns-sdk';` : '',
    `import { ${given.join(', ')} } from '${join(ROOT, 'tests/blocks/prelude.ts')}';`,
    /^\s*\{/.test(rest) ? `console.log((\n${rest}\n));` : rest,
    'export {};',
  ].join('\n');
}

function run(file, environment) {
  const folder = mkdtempSync(join(tmpdir(), 'block-'));
  const options = { cwd: folder, env: { ...process.env, ...environment }, encoding: 'utf8' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    ...options,
    timeout: 60_000,
  });
  rmSync(folder, { recursive: true });
  return { isGood: status === 0 && stderr === '', said: stdout + stderr };
}

const [guide, target = join(ROOT, 'build', 'blocks')] = process.argv.slice(2);
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

const blocks = blocksOf(resolve(guide));
let failed = 0;
for (const [at, { title, code }] of blocks.entries()) {
  const file = join(target, `block-${String(at + 1).padStart(2, '0')}.ts`);
  writeFileSync(file, moduleOf(code));
  const { isGood, said } = run(file, {});
  failed += isGood ? 0 : 1;
  console.log(
    `${isGood ? 'ran' : 'FAILED'} ${at + 1} (${title})\n${said.replace(/^/gm, '    ').trimEnd()}`,
  );
  if (!code.includes('turn.failed') || code.includes('new EverrunsClient')) continue;
  const { said: failing } = run(file, { BLOCK_MODEL: FAILING });
  console.log(`    with a model that fails:\n${failing.replace(/^/gm, '    ').trimEnd()}`);
}
console.log(`${blocks.length} blocks, ${failed} failed`);
process.exitCode = failed === 0 && blocks.length > 0 ? 0 : 1;
