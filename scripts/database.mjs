/**
 * Creates or drops the environment's database (DB_NAME), without psql.
 *
 *   npm run db:create
 *   npm run db:drop [-- --force]     --force: also in prod
 */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { loadEnvironment, runScript, ScriptError, withDatabase } from './project-env.mjs';

const USAGE = 'usage: node scripts/database.mjs create | drop [--force]';
const SYSTEM_DATABASES = ['postgres', 'template0', 'template1'];
/** PostgreSQL cuts a longer name silently, and would then work on another database. */
const MAX_NAME_BYTES = 63;

/**
 * Connects to the server that DB_HOST and its companions name.
 * @param {string} [database]
 * @returns {Promise<pg.Client>}
 */
export async function connect(database = process.env.DB_NAME) {
  const client = new pg.Client({
    host: process.env.DB_HOST,
    port: Number(process.env.DB_PORT),
    user: process.env.DB_USERNAME,
    password: process.env.DB_PASSWORD,
    database,
    connectionTimeoutMillis: 10_000,
    application_name: 'auth-service scripts',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function connectForMaintenance() {
  try {
    return await connect('postgres');
  } catch (error) {
    // No such database, or not for this user: template1 is the other one that every server has.
    if (!['3D000', '42501', '28000'].includes(error.code)) throw error;
    return connect('template1');
  }
}

/** @param {pg.Client} client */
async function exists(client) {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [
    process.env.DB_NAME,
  ]);
  return rowCount === 1;
}

function checkedName() {
  const name = process.env.DB_NAME ?? '';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new ScriptError(`DB_NAME must have at most ${MAX_NAME_BYTES} bytes`);
  }
  return name;
}

/**
 * @returns {Promise<boolean>} false when it was there already
 */
export async function createDatabase() {
  const name = checkedName();
  const client = await connectForMaintenance();
  try {
    if (await exists(client)) return false;
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    return true;
  } catch (error) {
    // Somebody else was faster: duplicate_database, or its catalogue row.
    if (error.code === '42P04' || error.code === '23505') return false;
    throw error;
  } finally {
    await client.end();
  }
}

/**
 * Drops the database, its open connections notwithstanding.
 * @returns {Promise<boolean>} false when it was not there
 */
export async function dropDatabase() {
  const name = checkedName();
  if (SYSTEM_DATABASES.includes(name)) throw new ScriptError(`${name} is not ours to drop`);
  const client = await connectForMaintenance();
  try {
    if (!(await exists(client))) return false;
    const { rows } = await client.query('SHOW server_version_num');
    if (Number(rows[0].server_version_num) >= 130_000) {
      await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    } else {
      await dropOnPostgres12(client, name);
    }
    return true;
  } finally {
    await client.end();
  }
}

/**
 * PostgreSQL 12 has no FORCE; a pool that reconnects in between costs another try.
 * @param {pg.Client} client
 * @param {string} name
 */
async function dropOnPostgres12(client, name) {
  for (let attempt = 1; ; attempt++) {
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      [name],
    );
    try {
      await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)}`);
      return;
    } catch (error) {
      if (error.code !== '55006' || attempt === 5) throw error;
    }
  }
}

async function main() {
  const [action, ...flags] = process.argv.slice(2);
  const force = flags.includes('--force');
  if (!['create', 'drop'].includes(action) || flags.some((flag) => flag !== '--force')) {
    throw new ScriptError(USAGE);
  }
  const environment = loadEnvironment();
  if (action === 'drop' && environment === 'prod' && !force) {
    throw new ScriptError('refusing to drop the database in prod: npm run db:drop -- --force does');
  }
  await withDatabase(async () => {
    const name = process.env.DB_NAME;
    if (action === 'create') {
      console.log(`database ${name}: ${(await createDatabase()) ? 'created' : 'already there'}`);
    } else {
      console.log(`database ${name}: ${(await dropDatabase()) ? 'dropped' : 'not there'}`);
    }
  });
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runScript(main);
}
