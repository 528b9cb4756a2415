/** What the scripts share: the environment, its database, and the secrets of dev and test. */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { config as loadDotenv } from 'dotenv';
import {
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from './embedded-postgres/startEmbeddedPostgres.mjs';
import { errorCode } from './errorCode.mjs';
import { certsDir, generateKeys, KeyFileError, writeAtomically } from './generateKeys.mjs';

export const PROJECT_ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @type {Map<string, 'dev' | 'prod' | 'test'>} */
const ENVIRONMENTS = new Map([
  ['dev', 'dev'],
  ['development', 'dev'],
  ['prod', 'prod'],
  ['production', 'prod'],
  ['test', 'test'],
]);

/** An error whose message is one line for the person at the terminal. */
export class ScriptError extends Error {}

/**
 * Sets NODE_ENV (dev if it is not set) and loads `.env.<NODE_ENV>`; the environment wins over the file.
 * @param {string} [forced]
 * @returns {'dev' | 'prod' | 'test'}
 * @throws {ScriptError}
 */
export function loadEnvironment(forced) {
  const name = ENVIRONMENTS.get(forced ?? (process.env.NODE_ENV || 'dev'));
  if (!name) throw new ScriptError('NODE_ENV must be dev, prod or test');
  process.env.NODE_ENV = name;
  loadDotenv({ path: path.join(PROJECT_ROOT, `.env.${name}`), quiet: true });
  return name;
}

/** The folder of dev's database and secret: AUTH_DATA_DIR, otherwise `.data` in the project's root. */
export function dataFolder() {
  return path.resolve(PROJECT_ROOT, process.env.AUTH_DATA_DIR || '.data');
}

/** Whether this environment brings its own PostgreSQL. */
export function isEmbedded() {
  const names = ['DB_HOST', 'DATABASE_URL', 'DATABASE_URL_FILE'];
  return process.env.NODE_ENV !== 'prod' && names.every((name) => !process.env[name]);
}

/**
 * Makes the settings name a server: the one they name already, or in dev and test an embedded
 * PostgreSQL, started or adopted.
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<import('./embedded-postgres/startEmbeddedPostgres.mjs').EmbeddedPostgres | undefined>} undefined for
 *   a server that is not ours
 * @throws {ScriptError | EmbeddedPostgresError}
 */
export async function ensureDatabase({ log } = {}) {
  if (!isEmbedded()) {
    if (process.env.DB_HOST) process.env.DB_NAME ||= defaultName();
    return undefined;
  }
  const server = await startEmbeddedPostgres({
    dataDir: path.join(dataFolder(), 'postgres'),
    ...(log && { log }),
  });
  process.env.DB_NAME ||= defaultName();
  process.env.DB_HOST = server.host;
  process.env.DB_PORT = String(server.port);
  process.env.DB_USERNAME = server.username;
  process.env.DB_PASSWORD = server.password;
  return server;
}

const defaultName = () => `auth_service_${process.env.NODE_ENV}`;

/**
 * Runs `fn` while the database is up. Stops it afterwards if it was started for this.
 * @template T
 * @param {() => Promise<T>} fn
 * @returns {Promise<T>}
 */
export async function withDatabase(fn) {
  const server = await ensureDatabase({ log: console.error });
  try {
    return await fn();
  } finally {
    await server?.stop();
  }
}

/** In dev and test: makes the key files and the refresh secret if they are missing. */
export async function ensureSecrets() {
  if (process.env.NODE_ENV === 'prod') return;
  await ensureKeys();
  if (!process.env.REFRESH_JWT_SECRET_FILE) process.env.REFRESH_JWT_SECRET ||= refreshSecret();
}

async function ensureKeys() {
  const privateFile = path.join(certsDir(), 'private.pem');
  const publicFile = path.join(certsDir(), 'public.pem');
  if (!fs.existsSync(privateFile)) {
    if (!fs.existsSync(publicFile)) await generateKeys();
    // A public key alone may be there on purpose: the service says what is missing.
    return;
  }
  if (fs.existsSync(publicFile)) return;
  try {
    const publicKey = createPublicKey(createPrivateKey(fs.readFileSync(privateFile)));
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    writeAtomically(publicFile, pem.toString(), 0o644, true);
  } catch (error) {
    throw new ScriptError(`${publicFile} cannot be made from ${privateFile}: ${errorCode(error)}`);
  }
}

function refreshSecret() {
  const file = path.join(dataFolder(), 'refresh-secret');
  try {
    fs.mkdirSync(dataFolder(), { recursive: true });
    if (!fs.existsSync(file)) {
      writeAtomically(file, `${randomBytes(48).toString('base64url')}\n`, 0o600, false);
    }
  } catch (error) {
    // If another process was faster, its secret is used.
    if (errorCode(error) !== 'EEXIST')
      throw new ScriptError(`cannot write ${file}: ${errorCode(error)}`);
  }
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ScriptError(`cannot read ${file}: ${errorCode(error)}`);
  }
}

/**
 * Runs a script's main function. A failure goes to stderr in one line, with exit code 1.
 * @param {() => Promise<void>} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}

/**
 * One line for the person at the terminal, without any secret.
 * @param {unknown} error
 */
export function explain(error) {
  if (!(error instanceof Error)) return String(error);
  const expected = [ScriptError, EmbeddedPostgresError, KeyFileError];
  if (expected.some((type) => error instanceof type)) return error.message;
  return error.stack ?? error.message;
}
