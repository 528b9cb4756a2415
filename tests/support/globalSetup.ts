import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { createDataSource, MIGRATION_OPTIONS } from '../../src/config/data-source';
import { TEMPLATE_DATABASE, testServer, type TestServer } from './testServer';

interface Embedded extends TestServer {
  dataDir: string;
  stop(): Promise<void>;
}

declare global {
  var embeddedPostgres: Embedded | undefined;
}

const ROOT = path.resolve(__dirname, '../..');

/**
 * Starts a PostgreSQL for this run, makes the migrated template that every spec's database is a clone
 * of, and builds the service. A watching Jest comes here before each run: it keeps the PostgreSQL.
 */
export default async function globalSetup(): Promise<void> {
  globalThis.embeddedPostgres ??= await startPostgres();
  await makeTemplate();
  await build();
}

async function startPostgres(): Promise<Embedded> {
  const { startEmbeddedPostgres } = await import('../../scripts/embedded-postgres.mjs');
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'auth-service-test-'));
  const server = await startEmbeddedPostgres({ dataDir, fsync: false, log: () => undefined });
  const { host, port, username, password } = server;
  process.env.TEST_POSTGRES = JSON.stringify({ host, port, username, password });
  return server;
}

async function makeTemplate(): Promise<void> {
  const server = testServer();
  const admin = new Client({ ...server, user: server.username, database: 'postgres' });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE_DATABASE}`);
  await admin.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`);
  await admin.end();

  const dataSource = createDataSource(
    { ...server, name: TEMPLATE_DATABASE, poolSize: 1 },
    MIGRATION_OPTIONS,
  );
  await dataSource.initialize();
  await dataSource.runMigrations();
  await dataSource.query(MOVABLE_CLOCK);
  await dataSource.destroy();
}

/** The service as it is built, for the tests that need whole processes of it. */
async function build(): Promise<void> {
  await mkdir(path.join(ROOT, '.data'), { recursive: true });
  process.env.TEST_BUILD ??= await mkdtemp(path.join(ROOT, '.data', 'test-build-'));
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', path.join(ROOT, 'tsconfig.build.json')];
  args.push('--outDir', process.env.TEST_BUILD);
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`);
}

/**
 * A now() of our own that a connection finds before PostgreSQL's, where its search path says so:
 * the service's statements run as they are, at another time.
 */
const MOVABLE_CLOCK = `
  CREATE SCHEMA test_clock;
  CREATE TABLE test_clock.setting (shift interval NOT NULL, frozen_at timestamptz);
  INSERT INTO test_clock.setting VALUES ('0', NULL);
  CREATE FUNCTION test_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT coalesce(frozen_at, pg_catalog.now() + shift) FROM test_clock.setting';
`;
