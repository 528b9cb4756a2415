/**
 * `npm run openapi:build`: writes openapi.yaml as the JSON that the service sends. Parsing YAML when the
 * service starts would take 18 MB of memory.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { PROJECT_ROOT } from './folders.mjs';

const source = fs.readFileSync(path.join(PROJECT_ROOT, 'openapi.yaml'), 'utf8');
const target = path.join(PROJECT_ROOT, 'src/service/openapi.json');
fs.writeFileSync(target, `${JSON.stringify(parse(source))}\n`);
