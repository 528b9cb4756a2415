import 'reflect-metadata';
import { DataSource } from 'typeorm';
import type { Config } from '.';
import { RefreshToken } from '../entity/RefreshToken';
import { User } from '../entity/User';
import { migrations } from '../migrations';

/** PostgreSQL's options for the service's connections; times in milliseconds. A migration has none. */
export const SERVICE_OPTIONS = {
  // Enforced by the server, so that a slow statement ends there too: pg's own query_timeout would
  // return a connection that is still busy to the pool.
  statement_timeout: 2_200,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 5_000,
  // Otherwise PostgreSQL plans a statement again each time its arrays are shorter than expected, and
  // looking up a single session takes half as long again.
  options: '-c plan_cache_mode=force_generic_plan',
};

/**
 * A TypeORM data source on the given database, not yet connected.
 *
 * `options` are PostgreSQL's, for each connection.
 */
export function createDataSource(
  database: Config['database'],
  options: object = SERVICE_OPTIONS,
): DataSource {
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
    applicationName: 'auth-service',
    connectTimeoutMS: 2_500,
    // A new connection costs more than an idle one, so it is kept for some minutes. Not for ever: plans
    // made on the empty tables of the first day stay if no autovacuum analyzes the tables.
    extra: { idleTimeoutMillis: 5 * 60_000, maxLifetimeSeconds: 10 * 60, ...options },
  });
}
