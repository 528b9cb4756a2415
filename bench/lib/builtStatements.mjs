import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from '../../tests/harness/root.js';

const require = createRequire(import.meta.url);

/**
 * The statements of the built service.
 * @param {'purge' | 'session' | 'user'} name
 * @returns {Record<string, { name: string, text: string }>}
 */
export const builtStatements = (name) =>
  require(path.join(ROOT, 'dist/database', `${name}Statements.js`));
