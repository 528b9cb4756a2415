/** What the scripts share: the environment, its database, and the secrets of dev and test. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { config as loadDotenv } from 'dotenv';
import { startEmbeddedPostgres } from './embedded-postgres/startEmbeddedPostgres.mjs';
import { errorCode } from './errorCode.mjs';
import { certsDir, generateKeys, writeAtomically } from './generateKeys.mjs';
import { ScriptError } from './ScriptError.mjs';

export const PROJECT_ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Sets NODE_ENV and loads `.env.<NODE_ENV>`; the environment wins over the file.
 * @param {string} name dev, development, prod, production or test
 * @returns {string} dev, prod or test
 * @throws {ScriptError}
 */
export function loadEnvironment(name) {
  const environment = name.replace(/^(dev|prod)(elopment|uction)$/, '$1');
  if (!['dev', 'prod', 'test'].includes(environment))
    throw new ScriptError('NODE_ENV must be dev, prod or test');
  process.env.NODE_ENV = environment;
  loadDotenv({ path: path.join(PROJECT_ROOT, `.env.${environment}`), quiet: true });
  return environment;
}

/** The folder of dev's database and secret: AUTH_DATA_DIR, otherwise `.data` in the project's root. */
export function dataFolder() {
  return path.resolve(PROJECT_ROOT, process.env.AUTH_DATA_DIR || '.data');
}

/**
 * In dev and test: makes the settings name a server: the one they name already, otherwise an embedded
 * PostgreSQL, started or adopted.
 * @param {(line: string) => void} log
 * @returns {Promise<import('./embedded-postgres/startEmbeddedPostgres.mjs').EmbeddedPostgres | undefined>}
 *   undefined for a server that is not ours
 * @throws {ScriptError}
 */
export async function ensureDatabase(log) {
  if (process.env.DATABASE_URL || process.env.DATABASE_URL_FILE) return undefined;
  process.env.DB_NAME ||= `auth_service_${process.env.NODE_ENV}`;
  if (process.env.DB_HOST) return undefined;
  const server = await startEmbeddedPostgres({ dataDir: path.join(dataFolder(), 'postgres'), log });
  process.env.DB_HOST = server.host;
  process.env.DB_PORT = String(server.port);
  process.env.DB_USERNAME = server.username;
  process.env.DB_PASSWORD = server.password;
  return server;
}

/** In dev and test: makes the key files and the refresh secret if they are missing. */
export async function ensureSecrets() {
  const files = ['private.pem', 'public.pem'].map((name) => path.join(certsDir(), name));
  // One of them alone may be there on purpose: the service says what is missing.
  if (!files.some((file) => fs.existsSync(file))) await generateKeys();
  if (!process.env.REFRESH_JWT_SECRET_FILE) process.env.REFRESH_JWT_SECRET ||= refreshSecret();
}

function refreshSecret() {
  const file = path.join(dataFolder(), 'refresh-secret');
  try {
    fs.mkdirSync(dataFolder(), { recursive: true });
    // If another process is faster, its secret is used.
    if (!fs.existsSync(file))
      writeAtomically(file, `${randomBytes(48).toString('base64url')}\n`, 0o600, false);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST')
      throw new ScriptError(`cannot write ${file}: ${errorCode(error)}`);
  }
  return fs.readFileSync(file, 'utf8').trim();
}

/**
 * Prints a failure on stderr, in one line if it is expected, and sets the exit code 1.
 * @param {unknown} error
 */
export function fail(error) {
  const isExpected = error instanceof ScriptError || errorCode(error) !== '';
  console.error(
    error instanceof Error && !isExpected
      ? error.stack
      : String(/** @type {Error} */ (error).message),
  );
  process.exitCode = 1;
}
