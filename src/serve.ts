import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { createApp } from './app';
import type { Config } from './config';
import { createDataSource } from './config/data-source';
import type { Logger } from './config/logger';
import { isDatabaseUnavailable } from './database/databaseErrors';
import { originOf } from './errors/originOf';
import { DrainingServer } from './http/DrainingServer';
import type { KeyRing } from './keys/KeyRing';
import { createServices } from './services';

/** How long to wait for a database that is away at start, and between two tries, in milliseconds. */
const DATABASE_PATIENCE = 60_000;
const DATABASE_RETRY = 1_000;

/** Connects to the database, listens, and drains after a signal or the end of the primary process. */
export async function serve(config: Config, keys: KeyRing, logger: Logger): Promise<void> {
  keys.watch(logger);
  // In dev a closed terminal sends it, and the process has to end then.
  if (config.environment !== 'dev') process.on('SIGHUP', () => void keys.refresh(logger));

  const dataSource = createDataSource(config.database);
  await connect(dataSource, logger);

  const lifecycle = { draining: false };
  const services = createServices({ config, dataSource, keys, logger, lifecycle });
  const app = createApp(services, config, logger);
  const server = new DrainingServer(app, lifecycle, { ...config, logger });
  await server.listen(config.port);
  logger.info('listening', { event: 'sys_startup', port: config.port });
  if (config.sessions.purgeInterval > 0) services.purge.start(config.sessions.purgeInterval);

  const drain = async (reason: string) => {
    if (lifecycle.draining) return;
    logger.info('stopping', { event: 'sys_shutdown', reason });
    const warn = () => logger.warn('requests still in flight were cut', { event: 'sys_shutdown' });
    await Promise.all([server.drain(config.drainTimeout, warn), services.purge.stop()]);
    await dataSource.destroy();
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void drain(signal));
  process.on('SIGINT', (signal) => void drain(signal));
  process.on('disconnect', () => void drain('the primary process is gone'));
}

/** Waits for a while for a database that is starting or away. */
async function connect(dataSource: DataSource, logger: Logger): Promise<void> {
  const deadline = Date.now() + DATABASE_PATIENCE;
  for (;;) {
    try {
      await dataSource.initialize();
      return;
    } catch (error) {
      if (!isDatabaseUnavailable(error) || Date.now() > deadline) throw error;
      logger.warn('the database is away; trying again', originOf(error));
      await delay(DATABASE_RETRY);
    }
  }
}
