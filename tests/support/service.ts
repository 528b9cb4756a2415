import { generateKeyPairSync } from 'node:crypto';
import type { Express } from 'express';
import type { DataSource } from 'typeorm';
import { createApp } from '../../src/app';
import { loadConfig, type Config } from '../../src/config';
import { createDataSource, SERVICE_OPTIONS } from '../../src/config/data-source';
import { keySetOf, type KeySet } from '../../src/keys/keySet';
import { createServices } from '../../src/services';
import { createDatabase as createDatabaseOn } from '../harness/createDatabase';
import { databaseSettings } from '../harness/databaseSettings';
import { capturingLogger, type LogLine } from './capturingLogger';
import { observed } from './observe';
import { pooled } from './pooled';
import { TEMPLATE_DATABASE, testServer } from './testServer';

/** Once per Jest worker, because generating a key pair is slow. */
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const REFRESH_SECRET = 'a refresh secret for tests, long enough';
export const ALLOWED_ORIGIN = 'http://localhost:5173';

export interface TestService {
  app: Express;
  /** The same service with other settings, on the same database. */
  withSettings(changed: NodeJS.ProcessEnv): Express;
  config: Config;
  dataSource: DataSource;
  keys: KeySet;
  /** The state of the process, as in serve.ts. */
  lifecycle: { draining: boolean };
  /** Every logged line, oldest first. */
  logs: LogLine[];
  /** Moves the clocks of PostgreSQL and the process. */
  advance(seconds: number): Promise<void>;
  /** Stops both clocks, the given number of seconds after the start of the service. */
  freeze(seconds: number): Promise<void>;
  thaw(): Promise<void>;
  now(): number;
  stop(): Promise<void>;
}

/** A new migrated database on the run's PostgreSQL. */
export async function createDatabase(template = TEMPLATE_DATABASE): Promise<Config['database']> {
  return { ...(await createDatabaseOn(testServer(), template)), poolSize: 10 };
}

/** The environment of a valid configuration on this database; `overrides` are variables. */
export function environmentFor(
  database: Config['database'],
  overrides: NodeJS.ProcessEnv = {},
): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'test',
    ...databaseSettings(database),
    REFRESH_JWT_SECRET: REFRESH_SECRET,
    RATE_LIMIT_ENABLED: 'false',
    ...overrides,
  };
}

/**
 * The whole service on a new database, with a movable clock; `overrides` are variables, `template` is the
 * database to copy.
 */
export async function startService(
  overrides: NodeJS.ProcessEnv = {},
  template?: string,
): Promise<TestService> {
  const database = pooled(await createDatabase(template));
  const config = loadConfig(environmentFor(database, overrides));
  const dataSource = createDataSource(
    config.database,
    `${SERVICE_OPTIONS} -c search_path=test_clock,public,pg_catalog`,
  );
  await dataSource.initialize();

  const { logger, logs } = capturingLogger();

  let shift = 0;
  let frozenAt: number | undefined;
  const startedAt = Date.now();
  const now = () => frozenAt ?? Date.now() + shift * 1000;
  const keys = keySetOf(privateKey, publicKey);
  const lifecycle = { draining: false };
  const appOf = (config: Config) => {
    const dependencies = { config, dataSource, keys: { current: keys }, logger, lifecycle, now };
    return observed(createApp(createServices(dependencies), config, logger));
  };
  return {
    app: appOf(config),
    withSettings: (changed) =>
      appOf(loadConfig(environmentFor(database, { ...overrides, ...changed }))),
    config,
    dataSource,
    keys,
    lifecycle,
    logs,
    now,
    async advance(seconds) {
      shift += seconds;
      await dataSource.query('UPDATE test_clock.setting SET shift = make_interval(secs => $1)', [
        shift,
      ]);
    },
    async freeze(seconds) {
      frozenAt = startedAt + seconds * 1000;
      await dataSource.query('UPDATE test_clock.setting SET frozen_at = $1', [new Date(frozenAt)]);
    },
    async thaw() {
      frozenAt = undefined;
      await dataSource.query('UPDATE test_clock.setting SET frozen_at = NULL');
    },
    stop: () => dataSource.destroy(),
  };
}
