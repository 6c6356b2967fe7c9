// Write src/generated.ts from the server's OpenAPI document; prints it with --print.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const DOCUMENT = new URL('../../../docs/openapi.json', import.meta.url);
const TARGET = new URL('../src/generated.ts', import.meta.url);
const HEADING = `// Generated from docs/openapi.json by tools/generate.mjs; not to be changed by hand.\n\n`;

/** Errors have one shape, and headers are the transport's business: they need not be said 200 times. */
function withoutRepetition(document) {
  for (const operations of Object.values(document.paths)) {
    for (const operation of Object.values(operations)) {
      operation.parameters = operation.parameters?.filter((each) => each.in !== 'header');
      for (const status of Object.keys(operation.responses)) {
        if (!status.startsWith('2')) delete operation.responses[status];
      }
    }
  }
  return document;
}

const document = withoutRepetition(JSON.parse(await readFile(DOCUMENT, 'utf8')));
const nodes = await openapiTS(document, { alphabetize: true, defaultNonNullable: false });
const text = HEADING + astToString(nodes);
if (process.argv.includes('--print')) process.stdout.write(text);
else await writeFile(TARGET, text);
