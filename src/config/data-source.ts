import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { RefreshToken } from '../entity/RefreshToken';
import { User } from '../entity/User';
import { migrations } from '../migrations';
import type { DatabaseSettings } from './databaseSettings';
import { PreferTlsClient } from './PreferTlsClient';
import { tlsOptions } from './tlsOptions';

/** Startup parameters override the settings of role and database, and cost no round trip. */
const startupOptions = (settings: Readonly<Record<string, string | number>>) =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${String(value).replaceAll(/[\\ ]/g, '\\$&')}`)
    .join(' ');

const COMMON = {
  // By default a schema with the role's name comes first, and its tables hide the others.
  search_path: 'public',
  // Other values change the text form of times, arrays and strings.
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
  // Enforced by the server: pg's query_timeout would return a busy connection to the pool.
  statement_timeout: 2_200,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 5_000,
};

/** Startup options of the service's connections. */
export const SERVICE_OPTIONS = startupOptions({
  ...SERVICE_SETTINGS,
  // Otherwise PostgreSQL plans a statement again whenever its arrays are short (ADR 0007).
  plan_cache_mode: 'force_generic_plan',
});

/** Startup options of migrations, which may take long. */
export const MIGRATION_OPTIONS = startupOptions({
  ...COMMON,
  statement_timeout: 0,
  lock_timeout: 0,
  idle_in_transaction_session_timeout: 0,
});

/**
 * A data source, not yet connected; `options` are PostgreSQL's startup options. A pooler refuses them:
 * there the settings of the role count.
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
      idleTimeoutMillis: 5 * 60_000,
      // Plans may have been made when the tables were empty.
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
