import type { DataSource } from 'typeorm';
import type { Config } from './config';
import type { Logger } from './config/logger';
import { Database } from './database/Database';
import type { Keys } from './keys/keySet';
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

interface Dependencies {
  config: Config;
  dataSource: DataSource;
  keys: Keys;
  logger: Logger;
  lifecycle?: Lifecycle;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Creates the purge alone: the command needs no keys. */
export function createPurge({
  config,
  dataSource,
  logger,
  now = Date.now,
}: Pick<Dependencies, 'config' | 'dataSource' | 'logger' | 'now'>): Purge {
  return new Purge(config.sessions, new Database(dataSource, config.database), logger, now);
}

/** Creates every service: the one place where the classes meet. */
export function createServices({
  config,
  dataSource,
  keys,
  logger,
  lifecycle = { draining: false },
  now = Date.now,
}: Dependencies) {
  const database = new Database(dataSource, config.database);
  const sessions = new SessionService(config.sessions, database);
  const attempts = new AttemptLimiter(config, database, now);
  const hashQueue = new HashQueue(config.hashing);
  const credentials = new CredentialService(database, hashQueue, attempts, config.hashing.rounds);
  return {
    attempts,
    audit: new AuditLog(logger),
    health: new HealthService(
      database,
      lifecycle,
      migrations.map(({ name }) => name),
    ),
    purge: createPurge({ config, dataSource, logger, now }),
    sessions,
    tokens: new TokenService(config.tokens, keys, now),
    users: new UserService(database, credentials, sessions, attempts),
    wellKnown: new WellKnownService(keys, config.tokens.issuer),
  };
}

export type Services = ReturnType<typeof createServices>;
