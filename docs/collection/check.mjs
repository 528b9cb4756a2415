/** Fails unless the committed collection is what `npm run collection:build` writes. */
import assert from 'node:assert';
import fs from 'node:fs';
import { createCollection } from './createCollection.mjs';

const file = new URL('auth-service.postman_collection.json', import.meta.url);
assert.strictEqual(
  fs.readFileSync(file, 'utf8'),
  await createCollection(),
  'The collection differs from openapi.yaml: npm run collection:build',
);
