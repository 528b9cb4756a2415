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
import {
  ensureDatabase,
  ensureSecrets,
  fail,
  loadEnvironment,
  PROJECT_ROOT,
} from './project-env.mjs';
import { ScriptError } from './ScriptError.mjs';

const require = createRequire(import.meta.url);

/**
 * The environment is the one of `npm run dev` or of `npm start`, if NODE_ENV is not set.
 * @type {Map<string, { source: string, environment: string }>}
 */
const COMMANDS = new Map([
  ['database', { source: 'src/commands/database.ts', environment: 'dev' }],
  ['generateMigration', { source: 'scripts/generateMigration.ts', environment: 'dev' }],
  ['keys', { source: 'src/commands/keys.ts', environment: 'prod' }],
  ['migrate', { source: 'src/commands/migrate.ts', environment: 'dev' }],
  ['purge', { source: 'src/commands/purge.ts', environment: 'prod' }],
]);

/**
 * Creates the database of the environment if it is missing, and runs the pending migrations. Looks
 * first: compiling takes three seconds at each start otherwise.
 */
export async function prepareDatabase() {
  if (await isMigrated()) return;
  await runQuietly('database', ['create']);
  await runQuietly('migrate', ['run']);
}

/** False also if the database cannot be reached: the commands say why. */
async function isMigrated() {
  const { DB_HOST: host, DB_PORT: port, DB_USERNAME: user, DB_PASSWORD, DB_NAME } = process.env;
  const login = { host, user, password: DB_PASSWORD, database: DB_NAME };
  if (!host) return false;
  const client = new pg.Client({
    ...login,
    port: Number(port || 5432),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query('SELECT "timestamp"::text FROM migrations');
    const run = new Set(rows.map((row) => row.timestamp));
    const files = fs.readdirSync(path.join(PROJECT_ROOT, 'src', 'migrations'));
    const timestamps = files.flatMap((name) => /^\d+(?=-)/.exec(name)?.[0] ?? []);
    return timestamps.every((timestamp) => run.has(timestamp));
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {import('node:child_process').StdioOptions} stdio
 */
function start(name, args, stdio) {
  const source = COMMANDS.get(name)?.source ?? '';
  let file = ['--require', 'ts-node/register/transpile-only', source];
  try {
    require.resolve('ts-node');
  } catch {
    file = [source.replace(/^src/, 'dist').replace(/ts$/, 'js')];
  }
  return spawn(process.execPath, [...file, ...args], { cwd: PROJECT_ROOT, stdio });
}

/**
 * Shows the output only if the command fails.
 * @param {string} name
 * @param {string[]} args
 */
async function runQuietly(name, args) {
  const child = start(name, args, 'pipe');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new ScriptError(output.trim() || `${name} failed`);
}

/**
 * Passes the exit code on, and signals to the command.
 * @param {string} name
 * @param {string[]} args
 */
async function run(name, args) {
  const child = start(name, args, 'inherit');
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'close');
  process.exitCode = code ?? 1;
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2);
  const command = COMMANDS.get(name);
  if (!command)
    throw new ScriptError(`usage: node scripts/command.mjs ${[...COMMANDS.keys()].join(' | ')}`);
  const environment = loadEnvironment(process.env.NODE_ENV || command.environment);
  if (environment === 'prod' || name === 'keys') return run(name, args);
  if (name === 'purge') await ensureSecrets();
  const server = await ensureDatabase(console.error);
  try {
    if (server && name !== 'database') await runQuietly('database', ['create']);
    await run(name, args);
  } finally {
    await server?.stop();
  }
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await main().catch(fail);
