import cluster from 'node:cluster';
import type { RequestListener, Server } from 'node:http';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { createApp } from './app';
import { ConfigError, loadConfig, type Config } from './config';
import { createDataSource } from './config/data-source';
import { Database } from './database/Database';
import { isDatabaseUnavailable } from './database/databaseErrors';
import { expressMessages } from './http/expressMessages';
import { createHttpServer } from './http/httpServer';
import { KeyError } from './keys/keySet';
import { KeyRing } from './keys/KeyRing';
import { createLogger, type Logger } from './config/logger';
import { originOf } from './errors/originOf';
import { sizeThreadPool } from './config/threadPool';
import { runPrimary } from './cluster';
import { SessionPurge } from './service/SessionPurge';
import { SessionService } from './service/SessionService';

/** How long to wait for a database that is away when the service starts, in milliseconds. */
const DATABASE_PATIENCE = 60_000;
const DATABASE_RETRY = 1_000;

/** How long a connection may idle, in seconds: Node's default. */
const KEEP_ALIVE = 5;
const DRAIN_POLL = 50;
const DRAIN_HOLD = 100;

async function readSettings(): Promise<{ config: Config; keys: KeyRing }> {
  try {
    const config = loadConfig();
    return { config, keys: await KeyRing.open(config.keys) };
  } catch (error) {
    if (error instanceof ConfigError || error instanceof KeyError) fail(error.message);
    throw error;
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Connects, and waits for a while for a database that is starting or away. */
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

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      fail(
        error.code === 'EADDRINUSE'
          ? `port ${port} is taken: set PORT to another one`
          : `port ${port} cannot be used: ${error.message}`,
      );
    });
    server.listen(port, resolve);
  });
}

/**
 * Resolves when the last request has been answered and the last connection closed.
 *
 * A connection that idles is not cut at once, for a request may be on its way on it; it is closed with
 * its next answer. So for half of the time at most everything goes on, then no one new is let in.
 */
async function close(server: Server, seconds: number, hold: () => () => void): Promise<void> {
  const connections = promisify(server.getConnections.bind(server));
  const grace = Date.now() + Math.min(seconds / 2, KEEP_ALIVE) * 1000;
  while (Date.now() < grace && (await connections()) > 0) await delay(DRAIN_POLL);
  // The kernel resets connections that a server has not taken when it closes. While answers are held
  // back clients have no reason to connect again, and those that have connected are taken.
  const release = hold();
  await delay(DRAIN_HOLD);
  const closed = promisify(server.close.bind(server))();
  release();
  await closed;
}

async function main(): Promise<void> {
  sizeThreadPool();
  const { config, keys } = await readSettings();
  const logger = createLogger(config);
  if (cluster.isPrimary && config.environment === 'prod' && config.tokens.issuerIsDefault)
    logger.warn('JWT_ISSUER is not set: other services expect the public URL of this one there');
  if (cluster.isPrimary && config.webConcurrency > 1) runPrimary(config.webConcurrency, logger);
  else await serve(config, keys, logger);
}

/** Serves until a signal comes, or the primary process is gone. */
async function serve(config: Config, keys: KeyRing, logger: Logger): Promise<void> {
  keys.watch(logger);
  // In dev a terminal that is closed sends it, and the process has to end with it.
  if (config.environment !== 'dev') process.on('SIGHUP', () => void keys.refresh(logger));

  const dataSource = createDataSource(config.database);
  await connect(dataSource, logger);

  const lifecycle = { draining: false };
  const app = createApp({ config, dataSource, keys, logger, lifecycle });
  let held: Promise<void> | undefined;
  const hold = () => {
    let release: (() => void) | undefined;
    held = new Promise((resolve) => (release = resolve));
    return () => release?.();
  };
  const listener: RequestListener = (req, res) => {
    // A client that keeps its connection would otherwise keep the process.
    if (lifecycle.draining) res.setHeader('Connection', 'close');
    const begin = () => void app(req, res);
    if (held) void held.then(begin);
    else begin();
  };
  const server = createHttpServer(listener, expressMessages(app));
  await listen(server, config.port);
  logger.info('listening', { event: 'sys_startup', port: config.port });

  const sessions = new SessionService(config.sessions, new Database(dataSource).query);
  const purge = new SessionPurge(sessions, logger);
  if (config.sessions.purgeInterval > 0) purge.start(config.sessions.purgeInterval);

  const drain = async (reason: string) => {
    if (lifecycle.draining) return;
    lifecycle.draining = true;
    logger.info('stopping', { event: 'sys_shutdown', reason });
    const force = setTimeout(() => {
      logger.warn('requests still in flight were cut', { event: 'sys_shutdown' });
      server.closeAllConnections();
    }, config.drainTimeout * 1000);
    await Promise.all([close(server, config.drainTimeout, hold), purge.stop()]);
    clearTimeout(force);
    await dataSource.destroy();
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void drain(signal));
  process.on('SIGINT', (signal) => void drain(signal));
  process.on('disconnect', () => void drain('the primary process is gone'));
}

main().catch((error: unknown) => {
  fail(`the service cannot start: ${error instanceof Error ? error.message : String(error)}`);
});
