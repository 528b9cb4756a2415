import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { PROJECT_ROOT } from '../folders.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { runCommand } from './runCommand.mjs';

/**
 * Creates the database of the settings if it is missing, and runs the pending migrations.
 * @throws {ScriptError} after the command that failed has said why
 */
export async function prepareDatabase() {
  if (await isMigrated()) return;
  const code =
    (await runCommand('database', ['create'], 'ignore')) ||
    (await runCommand('migrate', ['run'], 'ignore'));
  if (code !== 0) throw new ScriptError('the database cannot be used');
}

/**
 * Looks, because the commands take seconds to compile. False also if it cannot look, as with TLS or
 * DATABASE_URL: the commands read all settings, and say what is wrong.
 */
async function isMigrated() {
  const { DB_HOST: host, DB_PORT, DB_USERNAME: user, DB_PASSWORD, DB_NAME: database } = process.env;
  if (!host) return false;
  const server = { host, port: Number(DB_PORT || 5432), connectionTimeoutMillis: 5_000 };
  const client = new pg.Client({ ...server, user, password: DB_PASSWORD, database });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query('SELECT "timestamp"::text FROM migrations');
    const run = rows.map((row) => row.timestamp);
    const files = fs.readdirSync(path.join(PROJECT_ROOT, 'src', 'migrations'));
    const timestamps = files.flatMap((name) => /^\d+(?=-)/.exec(name)?.[0] ?? []);
    return timestamps.every((timestamp) => run.includes(timestamp));
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
