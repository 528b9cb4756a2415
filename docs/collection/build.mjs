/** `npm run collection:build`: writes openapi.yaml as a collection for Postman and similar programs. */
import fs from 'node:fs';
import { createCollection } from './createCollection.mjs';

const target = new URL('auth-service.postman_collection.json', import.meta.url);
fs.writeFileSync(target, await createCollection());
