import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../database/Database';
import type { KeyRing } from '../keys/KeyRing';
import type { HashQueue } from '../service/HashQueue';
import type { HealthService } from '../service/HealthService';
import type { Purge } from '../service/Purge';

/**
 * In milliseconds: how long the figures wait for the database. While it is away they are needed most, and
 * come without its part.
 */
const PATIENCE = 500;

/** The services whose state is shown. */
export interface Watched {
  hashQueue: HashQueue;
  database: Database;
  health: HealthService;
  purge: Purge;
}

type Read = () => number | undefined | Promise<number | undefined>;

/** Reads the state of the service whenever the figures are read. */
export function watchService(registry: Registry, watched: Watched, keys: KeyRing): void {
  const { hashQueue, database, health, purge } = watched;

  /** What cannot be read is left out. Workers that share a state do not add it up. */
  const gauge = (name: string, help: string, read: Read, aggregator?: 'min' | 'max') =>
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: aggregator ?? 'sum',
      async collect() {
        const value = await settled(read);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });

  gauge('auth_hash_queue_running', 'Passwords being hashed.', () => hashQueue.load.running);
  gauge('auth_hash_queue_waiting', 'Passwords waiting to be hashed.', () => hashQueue.load.waiting);
  gauge('auth_pool_used', 'Database connections in use.', () => database.connections.used);
  gauge('auth_pool_idle', 'Idle database connections.', () => database.connections.idle);
  gauge('auth_pool_waiting', 'Callers that wait for a database connection.', () => {
    return database.connections.waiting;
  });

  const isReady = latest(() => health.requireReady().then(() => 1));
  gauge(
    'auth_ready',
    '1 while /health/ready responds with 200.',
    async () => (await isReady()) ?? 0,
    'min',
  );

  const backlog = latest(() => purge.backlog());
  gauge(
    'auth_purge_backlog_rows',
    'Expired sessions that are still stored, counted up to 10000.',
    async () => (await backlog())?.rows,
    'max',
  );
  gauge(
    'auth_purge_backlog_seconds',
    'How long ago the first of them expired.',
    async () => (await backlog())?.seconds,
    'max',
  );

  gauge('auth_keys', 'Keys that verify access tokens.', () => keys.current.verifying.size, 'max');
  gauge(
    'auth_signing_key_age_seconds',
    'How long the signing key has been signing; unknown for a key from the environment.',
    () => {
      const since = keys.signingSince;
      return since === undefined ? undefined : (Date.now() - since) / 1000;
    },
    'max',
  );
}

async function settled(read: Read): Promise<number | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

/**
 * Reads once for all that ask at the same time. Resolves to the last result when it takes too long, and
 * to undefined when it fails.
 */
function latest<T>(read: () => Promise<T>): () => Promise<T | undefined> {
  let last: T | undefined;
  let reading: Promise<void> | undefined;
  const renew = async () => {
    last = await read().catch(() => undefined);
    reading = undefined;
  };
  return async () => {
    reading ??= renew();
    await Promise.race([reading, delay(PATIENCE, undefined, { ref: false })]);
    return last;
  };
}
