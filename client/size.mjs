/** Measures what `createAuthClient` adds to a page, minified and compressed, and fails above the limit. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT = 3 * 1024;

const { outputFiles } = await build({
  stdin: {
    contents: "export { createAuthClient } from './dist/esm/index.js';",
    resolveDir: import.meta.dirname,
  },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  write: false,
});
const [{ contents }] = /** @type {[import('esbuild').OutputFile]} */ (outputFiles);
const size = gzipSync(contents, { level: 9 }).length;
process.stdout.write(
  `createAuthClient: ${contents.length} bytes, ${size} with gzip, limit ${LIMIT}\n`,
);
process.exitCode = size > LIMIT ? 1 : 0;
