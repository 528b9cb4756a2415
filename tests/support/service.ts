import { generateKeyPairSync } from 'node:crypto';
import { Writable } from 'node:stream';
import type { Express } from 'express';
import type { DataSource } from 'typeorm';
import { createLogger, format, transports } from 'winston';
import { createApp } from '../../src/app';
import { loadConfig, type Config } from '../../src/config';
import { createDataSource, SERVICE_OPTIONS } from '../../src/config/data-source';
import { keySetOf, type KeySet } from '../../src/keys/keySet';
import { createServices } from '../../src/services';
import { createDatabase as createDatabaseOn } from '../harness/createDatabase';
import { databaseSettings } from '../harness/databaseSettings';
import { observed } from './observe';
import { TEMPLATE_DATABASE, testServer } from './testServer';

/** Made once a worker: a key pair takes a tenth of a second. */
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const REFRESH_SECRET = 'a refresh secret for tests, long enough';
export const ALLOWED_ORIGIN = 'http://localhost:5173';

export type LogLine = Record<string, unknown>;

export interface TestService {
  app: Express;
  /** The same service with other settings, on the same database. */
  withSettings(changed: NodeJS.ProcessEnv): Express;
  config: Config;
  dataSource: DataSource;
  keys: KeySet;
  /** As server.ts holds it: `draining` once the process is told to stop. */
  lifecycle: { draining: boolean };
  /** All that was logged, oldest first. */
  logs: LogLine[];
  /** Moves the clock, PostgreSQL's and the process's alike. */
  advance(seconds: number): Promise<void>;
  /** Stops both clocks, so many seconds after the start of the service. */
  freeze(seconds: number): Promise<void>;
  now(): number;
  stop(): Promise<void>;
}

/** A database of its own on the run's PostgreSQL, migrated. */
export async function createDatabase(template = TEMPLATE_DATABASE): Promise<Config['database']> {
  return { ...(await createDatabaseOn(testServer(), template)), poolSize: 10 };
}

/** The environment of a sound configuration on this database; `overrides` are variables. */
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
 * The whole service on a database of its own, with a movable clock; `overrides` are variables,
 * `template` is what the database is a clone of.
 */
export async function startService(
  overrides: NodeJS.ProcessEnv = {},
  template?: string,
): Promise<TestService> {
  const database = await createDatabase(template);
  const config = loadConfig(environmentFor(database, overrides));
  const dataSource = createDataSource(
    config.database,
    `${SERVICE_OPTIONS} -c search_path=test_clock,public,pg_catalog`,
  );
  await dataSource.initialize();

  const logs: LogLine[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logs.push(JSON.parse(chunk.toString()) as LogLine);
      done();
    },
  });
  const logger = createLogger({
    format: format.json(),
    transports: [new transports.Stream({ stream })],
  });

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
    stop: () => dataSource.destroy(),
  };
}
