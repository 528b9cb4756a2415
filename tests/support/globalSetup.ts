import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { onExit } from 'signal-exit';
import { createDataSource, MIGRATION_OPTIONS } from '../../src/config/data-source';
import { rebuildSessions } from '../../src/database/rebuildSessions';
import { query } from '../harness/query';
import { ROOT } from '../harness/root';
import { startPgBouncer } from '../harness/startPgBouncer';
import { startPostgres } from '../harness/startPostgres';
import { POOLED_ROLE, roleSettings } from './pooled';
import { TEMPLATE_DATABASE, testServer } from './testServer';

declare global {
  var embeddedPostgres: Awaited<ReturnType<typeof startPostgres>> | undefined;
}

/**
 * Starts a PostgreSQL for this run, creates the migrated template that every spec's database copies, and
 * builds the service. Watch mode calls this before each run and keeps the PostgreSQL.
 */
export default async function globalSetup(): Promise<void> {
  globalThis.embeddedPostgres ??= await startPostgres({ fsync: false });
  const { host, port, username, password } = globalThis.embeddedPostgres;
  process.env.TEST_POSTGRES = JSON.stringify({ host, port, username, password });
  await makeTemplate();
  await startPooler();
  build();
}

/** TEST_POOLER names the executable of a PgBouncer to run specs through. */
async function startPooler(): Promise<void> {
  const program = process.env.TEST_POOLER;
  if (program === undefined || process.env.TEST_POOLER_PORT !== undefined) return;
  const server = testServer();
  const role = { username: POOLED_ROLE, password: server.password };
  await query(server, `CREATE ROLE ${POOLED_ROLE} SUPERUSER LOGIN PASSWORD '${role.password}'`);
  const changed = { search_path: 'test_clock, public, pg_catalog' };
  for (const statement of roleSettings(POOLED_ROLE, changed)) await query(server, statement);
  const { port } = await startPgBouncer(program, server, role);
  process.env.TEST_POOLER_PORT = String(port);
}

async function makeTemplate(): Promise<void> {
  const server = testServer();
  await query(server, `DROP DATABASE IF EXISTS ${TEMPLATE_DATABASE}`);
  await query(server, `CREATE DATABASE ${TEMPLATE_DATABASE}`);

  const dataSource = createDataSource(
    { ...server, name: TEMPLATE_DATABASE, poolSize: 2 },
    MIGRATION_OPTIONS,
  );
  await dataSource.initialize();
  await dataSource.runMigrations();
  // Set by `npm run proof:partitions`.
  const partitions = process.env.TEST_PARTITIONS;
  if (partitions !== undefined) await rebuildSessions(dataSource, Number(partitions));
  await dataSource.query(MOVABLE_CLOCK);
  await dataSource.destroy();
}

/** Builds the service, for the tests that need whole processes of it; `typecheck` checks its types. */
function build(): void {
  process.env.TEST_BUILD ??= buildFolder();
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', path.join(ROOT, 'tsconfig.build.json')];
  args.push('--outDir', process.env.TEST_BUILD, '--noCheck');
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`);
}

/** Inside the project, so that the build finds node_modules. */
function buildFolder(): string {
  mkdirSync(path.join(ROOT, '.data'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, '.data', 'test-build-'));
  onExit(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/**
 * A movable now() that a connection finds before PostgreSQL's if its search path says so. The service's
 * statements run unchanged at another time.
 */
const MOVABLE_CLOCK = `
  CREATE SCHEMA test_clock;
  CREATE TABLE test_clock.setting (shift interval NOT NULL, frozen_at timestamptz);
  INSERT INTO test_clock.setting VALUES ('0', NULL);
  CREATE FUNCTION test_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT coalesce(frozen_at, pg_catalog.now() + shift) FROM test_clock.setting';
`;
