// What tsc leaves out: what kind of modules lie in dist/cjs, and the licence.
import { copyFile, writeFile } from 'node:fs/promises';

const root = new URL('../', import.meta.url);
await writeFile(new URL('dist/cjs/package.json', root), '{ "type": "commonjs" }\n');
await copyFile(new URL('../../LICENSE', root), new URL('LICENSE', root));
