import type { DataSource } from 'typeorm';
import type { Config } from './config';
import type { Logger } from './config/logger';
import { Database } from './database/Database';
import type { Keys } from './keys/keySet';
import { noMetrics } from './metrics/noMetrics';
import { migrations } from './migrations';
import { AttemptLimiter } from './service/AttemptLimiter';
import { AuditLog } from './service/AuditLog';
import { CredentialService } from './service/CredentialService';
import { HashQueue } from './service/HashQueue';
import { HealthService } from './service/HealthService';
import { Purge } from './service/Purge';
import { SessionService } from './service/SessionService';
import { TokenService } from './service/TokenService';
import { UserService } from './service/UserService';
import { WellKnownService } from './service/WellKnownService';
import type { Lifecycle } from './types/lifecycle';
import type { Metrics } from './types/metrics';

interface Dependencies {
  config: Config;
  dataSource: DataSource;
  keys: Keys;
  logger: Logger;
  lifecycle?: Lifecycle;
  /** Nothing is measured without it. */
  metrics?: Metrics | undefined;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The purge alone, because the command needs no keys. */
export function createPurge({
  config,
  dataSource,
  logger,
  metrics = noMetrics,
  now = Date.now,
}: Omit<Dependencies, 'keys' | 'lifecycle'>): Purge {
  const database = new Database(dataSource, metrics, config.database);
  return new Purge(config.sessions, database, logger, metrics, now);
}

/** Creates and connects all services. */
export function createServices({
  config,
  dataSource,
  keys,
  logger,
  lifecycle = { draining: false },
  metrics = noMetrics,
  now = Date.now,
}: Dependencies) {
  const database = new Database(dataSource, metrics, config.database);
  const sessions = new SessionService(config.sessions, database, metrics);
  const attempts = new AttemptLimiter(config, database, metrics, now);
  const hashQueue = new HashQueue(config.hashing, metrics);
  const credentials = new CredentialService(database, hashQueue, attempts, config.hashing.rounds);
  return {
    attempts,
    audit: new AuditLog(logger, metrics),
    database,
    hashQueue,
    health: new HealthService(
      database,
      lifecycle,
      migrations.map(({ name }) => name),
    ),
    metrics,
    purge: createPurge({ config, dataSource, logger, metrics, now }),
    sessions,
    tokens: new TokenService(config.tokens, keys, now),
    users: new UserService(database, credentials, sessions, attempts),
    wellKnown: new WellKnownService(keys, config.tokens.issuer),
  };
}

export type Services = ReturnType<typeof createServices>;
