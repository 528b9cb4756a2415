import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { RefreshToken } from '../entity/RefreshToken';
import { User } from '../entity/User';
import { migrations } from '../migrations';
import type { DatabaseSettings } from './databaseSettings';
import { PreferTlsClient } from './PreferTlsClient';
import { tlsOptions } from './tlsOptions';

/**
 * PostgreSQL's settings for a connection, which override those of its role and its database. Startup
 * parameters cost no round trip.
 */
const startupOptions = (settings: Readonly<Record<string, string | number>>) =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${String(value).replaceAll(/[\\ ]/g, '\\$&')}`)
    .join(' ');

const COMMON = {
  // By default a schema of the role's name comes first: tables created there hide the others.
  search_path: 'public',
  // Others change the text of times, arrays and strings.
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  array_nulls: 'on',
  standard_conforming_strings: 'on',
  // The statements that decide a race rely on it.
  default_transaction_isolation: 'read committed',
};

/** For the service's connections; times in milliseconds. */
export const SERVICE_SETTINGS = {
  ...COMMON,
  // Enforced by the server, so that a slow statement ends there too: pg's own query_timeout would
  // return a connection that is still busy to the pool.
  statement_timeout: 2_200,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 5_000,
};

export const SERVICE_OPTIONS = startupOptions({
  ...SERVICE_SETTINGS,
  // Otherwise PostgreSQL plans a statement again each time its arrays are shorter than expected, and
  // looking up a single session takes half as long again.
  plan_cache_mode: 'force_generic_plan',
});

/** For migrations, which take their time. */
export const MIGRATION_OPTIONS = startupOptions({
  ...COMMON,
  statement_timeout: 0,
  lock_timeout: 0,
  idle_in_transaction_session_timeout: 0,
});

/**
 * A TypeORM data source on the given database, not yet connected.
 *
 * `options` are PostgreSQL's startup options, for each connection. A pooler refuses them: there the
 * settings of the role count.
 */
export function createDataSource(
  database: DatabaseSettings,
  options = SERVICE_OPTIONS,
): DataSource {
  const { tls } = database;
  const ownOptions = database.pooler === 'transaction' ? undefined : options;
  return new DataSource({
    type: 'postgres',
    host: database.host,
    port: database.port,
    username: database.username,
    password: database.password,
    database: database.name,
    entities: [User, RefreshToken],
    migrations,
    synchronize: false,
    logging: false,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    poolSize: database.poolSize,
    applicationName: database.applicationName ?? 'auth-service',
    connectTimeoutMS: 2_500,
    extra: {
      // A new connection costs more than an idle one, so it is kept for some minutes. Not for ever: plans
      // made on the empty tables of the first day stay if no autovacuum analyzes the tables.
      idleTimeoutMillis: 5 * 60_000,
      maxLifetimeSeconds: 10 * 60,
      // Of two values for a setting the last one counts.
      options: [database.options, ownOptions].filter(Boolean).join(' '),
      // Without a value node-postgres reads PGSSLMODE.
      ssl: tls ? tlsOptions(tls) : false,
      enableChannelBinding: database.channelBinding,
      ...(tls?.mode === 'prefer' && { Client: PreferTlsClient }),
    },
  });
}
