/**
 * Runs a command of src/commands/ from a checkout: `node scripts/command.mjs NAME [arguments]`. In dev
 * and test it starts the embedded PostgreSQL first, unless DB_HOST or DATABASE_URL is set.
 *
 * The source is run if ts-node is installed, otherwise the build.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { errorCode } from './errorCode.mjs';
import {
  ensureSecrets,
  isEmbedded,
  loadEnvironment,
  PROJECT_ROOT,
  runScript,
  ScriptError,
  withDatabase,
} from './project-env.mjs';

const require = createRequire(import.meta.url);

/** @typedef {keyof typeof COMMANDS} CommandName */

/** The environment is the one of `npm run dev` or of `npm start`, if NODE_ENV is not set. */
const COMMANDS = {
  database: { source: 'src/commands/database.ts', environment: 'dev' },
  generateMigration: { source: 'scripts/generateMigration.ts', environment: 'dev' },
  keys: { source: 'src/commands/keys.ts', environment: 'prod' },
  migrate: { source: 'src/commands/migrate.ts', environment: 'dev' },
  purge: { source: 'src/commands/purge.ts', environment: 'prod' },
};

/**
 * Creates the database of the environment if it is missing, and runs the pending migrations. Compares
 * names first: compiling takes three seconds at each start otherwise.
 */
export async function prepareDatabase() {
  const missing = await findMissing();
  if (missing === 'database') await runQuietly('database', ['create']);
  if (missing !== undefined) await runQuietly('migrate', ['run']);
}

/** @returns {Promise<'database' | 'migrations' | undefined>} */
async function findMissing() {
  if (!process.env.DB_HOST) return 'migrations';
  const client = new pg.Client({
    host: process.env.DB_HOST,
    port: Number(process.env.DB_PORT || 5432),
    user: process.env.DB_USERNAME,
    password: process.env.DB_PASSWORD,
    database: process.env.DB_NAME,
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query('SELECT "timestamp"::text FROM migrations');
    const run = new Set(rows.map((row) => row.timestamp));
    const files = fs.readdirSync(path.join(PROJECT_ROOT, 'src', 'migrations'));
    const timestamps = files.flatMap((name) => /^\d+(?=-)/.exec(name)?.[0] ?? []);
    return timestamps.every((timestamp) => run.has(timestamp)) ? undefined : 'migrations';
  } catch (error) {
    if (errorCode(error) === '3D000') return 'database';
    // The command knows all settings of a connection, and says what is wrong.
    return 'migrations';
  } finally {
    await client.end();
  }
}

/**
 * @param {CommandName} name
 * @param {string[]} args
 */
const commandLine = (name, args) => [...fileOf(COMMANDS[name].source), ...args];

/** @param {string} source */
function fileOf(source) {
  try {
    return ['--require', require.resolve('ts-node/register/transpile-only'), source];
  } catch {
    return [source.replace(/^src/, 'dist').replace(/ts$/, 'js')];
  }
}

/**
 * Shows the output only if the command fails.
 * @param {CommandName} name
 * @param {string[]} args
 */
async function runQuietly(name, args) {
  const child = spawn(process.execPath, commandLine(name, args), { cwd: PROJECT_ROOT });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new ScriptError(output.trim() || `${name} failed`);
}

/**
 * Passes the exit code on, and signals to the command.
 * @param {CommandName} name
 * @param {string[]} args
 */
async function run(name, args) {
  const child = spawn(process.execPath, commandLine(name, args), {
    cwd: PROJECT_ROOT,
    stdio: 'inherit',
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'close');
  process.exitCode = code ?? 1;
}

async function main() {
  const [given = '', ...args] = process.argv.slice(2);
  if (!Object.hasOwn(COMMANDS, given)) {
    throw new ScriptError(`usage: node scripts/command.mjs ${Object.keys(COMMANDS).join(' | ')}`);
  }
  const name = /** @type {CommandName} */ (given);
  const environment = loadEnvironment(process.env.NODE_ENV || COMMANDS[name].environment);
  if (environment === 'prod' || name === 'keys') return run(name, args);
  if (name === 'purge') await ensureSecrets();
  const isOurs = isEmbedded();
  await withDatabase(async () => {
    if (isOurs && name !== 'database' && (await findMissing()) === 'database') {
      await runQuietly('database', ['create']);
    }
    await run(name, args);
  });
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runScript(main);
}
