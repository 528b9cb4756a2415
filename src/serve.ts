import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { createApp } from './app';
import type { Config } from './config';
import { createDataSource, SERVICE_SETTINGS } from './config/data-source';
import type { Logger } from './config/logger';
import { isDatabaseUnavailable, isMisconfigured } from './database/databaseErrors';
import { originOf } from './errors/originOf';
import { DrainingServer } from './http/DrainingServer';
import type { KeyRing } from './keys/KeyRing';
import type * as OpenMetrics from './metrics/openMetrics';
import { createServices, type Services } from './services';
import type { HealthService } from './service/HealthService';
import { tryTokens } from './service/tryTokens';

/** In milliseconds: the wait for the database before listening, and between two attempts. */
const DATABASE_PATIENCE = 1_000;
const DATABASE_RETRY = 1_000;

/** In milliseconds: a database that has not responded by then is away. */
const DATABASE_DEADLINE = 5_000;

/**
 * Listens, connects to the database, and drains after a signal or the end of the primary process. While
 * the database is away, the service listens and is not ready.
 * @throws {Error} if the database or the tokens cannot be used.
 */
export async function serve(config: Config, keys: KeyRing, logger: Logger): Promise<void> {
  keys.watch(logger);
  // In dev a closed terminal sends SIGHUP, and the process must end.
  if (config.environment !== 'dev') process.on('SIGHUP', () => void keys.refresh(logger));

  const dataSource = createDataSource(config.database);
  const lifecycle = { draining: false };
  const metrics = config.metrics && (await openMetrics(config.metrics));
  const services = createServices({ config, dataSource, keys, logger, lifecycle, metrics });
  metrics?.watch(services, keys);
  await tryTokens(services.tokens);
  const connected = connect(dataSource, services, config, logger);
  await Promise.race([connected, delay(DATABASE_PATIENCE)]);

  const app = createApp(services, config, logger);
  const server = new DrainingServer(app, lifecycle, { ...config, logger });
  await server.listen(config.port, config.hosts);
  logger.info('listening', { event: 'sys_startup', port: config.port });
  if (config.sessions.purgeInterval > 0) services.purge.start(config.sessions.purgeInterval);

  const drain = async (reason: string) => {
    if (lifecycle.draining) return;
    logger.info('stopping', { event: 'sys_shutdown', reason });
    const warn = () => logger.warn('requests still in flight were cut', { event: 'sys_shutdown' });
    await Promise.all([server.drain(config.drainTimeout, warn), services.purge.stop()]);
    if (dataSource.isInitialized) await dataSource.destroy();
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void drain(signal));
  process.on('SIGINT', (signal) => void drain(signal));
  process.on('disconnect', () => void drain('the primary process is gone'));
  await connected;
}

/** Loaded only with METRICS_PORT. */
function openMetrics(settings: NonNullable<Config['metrics']>) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() cannot load TypeScript
  const { openMetrics } = require('./metrics/openMetrics') as typeof OpenMetrics;
  return openMetrics(settings);
}

/** Connects as soon as the database is there, and checks what it holds. */
async function connect(
  dataSource: DataSource,
  { health }: Services,
  { database }: Config,
  logger: Logger,
): Promise<void> {
  const away = { isReported: false };
  const warn = (fields: object) => {
    if (!away.isReported) logger.warn('the database is away; trying again', fields);
    away.isReported = true;
  };
  // A pooler lets the service in and makes it wait.
  const timer = setTimeout(warn, DATABASE_DEADLINE, { cause: 'ETIMEDOUT' });
  try {
    for (;;) {
      try {
        if (!dataSource.isInitialized) await dataSource.initialize();
        await health.requireEncoding();
        if (database.pooler === 'transaction') await warnOfSettings(health, logger);
        const migrations = await health.pendingMigrations();
        if (away.isReported) logger.info('the database is there');
        if (migrations.length > 0)
          logger.error('migrations are pending: run them with dist/commands/migrate.js', {
            migrations,
          });
        return;
      } catch (error) {
        if (!isDatabaseUnavailable(error) || isMisconfigured(error)) throw error;
        warn(originOf(error));
        await delay(DATABASE_RETRY);
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Behind a pooler a connection has the settings of its role. */
async function warnOfSettings(health: HealthService, logger: Logger): Promise<void> {
  for (const missing of await health.missingSettings(SERVICE_SETTINGS))
    logger.warn('the database role lacks a setting: run the statement, and reconnect the pooler', {
      event: 'sys_role_setting',
      ...missing,
    });
}
