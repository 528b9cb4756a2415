import fs from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { errorCode } from '../errorCode.mjs';
import { PROJECT_ROOT } from '../folders.mjs';
import { ScriptError } from '../ScriptError.mjs';

// generateKeys.mjs needs nothing installed. The two differ in rare quotes and escapes.
const { parse } = await import('dotenv').catch(() => ({ parse: parseEnv }));

/**
 * Sets NODE_ENV, and the variables of `.env.<NODE_ENV>` that are not set.
 * @param {string} name also development or production
 */
export function loadEnvironment(name) {
  const environment = name.replace(/^(dev|prod)(elopment|uction)$/, '$1');
  if (!['dev', 'prod', 'test'].includes(environment)) {
    throw new ScriptError('NODE_ENV must be dev, prod or test');
  }
  process.env.NODE_ENV = environment;
  const file = path.join(PROJECT_ROOT, `.env.${environment}`);
  try {
    const variables = Object.entries(parse(fs.readFileSync(file, 'utf8')));
    for (const [variable, value] of variables) process.env[variable] ||= value;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') {
      throw new ScriptError(`cannot read ${file}: ${errorCode(error)}`);
    }
  }
}
