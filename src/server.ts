import { createServer } from 'node:http';
import { createApp } from './app';
import { ConfigError, loadConfig, type Config } from './config';
import { createDataSource } from './config/data-source';
import { KeyError, loadKeys, type KeySet } from './config/keys';
import { createLogger } from './config/logger';

/** A request that comes in more slowly than this is cut, in milliseconds. */
const REQUEST_TIMEOUT = 20_000;
const HEADERS_TIMEOUT = 10_000;
/** What is still in flight after this is cut when the process is told to stop, in milliseconds. */
const DRAIN_TIMEOUT = 9_000;

function settings(): { config: Config; keys: KeySet } {
  try {
    const config = loadConfig();
    return { config, keys: loadKeys(config.certsDir) };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof KeyError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

async function main(): Promise<void> {
  const { config, keys } = settings();
  const logger = createLogger(config.logLevel);
  if (config.environment === 'prod' && config.tokens.issuerIsDefault)
    logger.warn('JWT_ISSUER is not set: other services expect the public URL of this one there');

  const dataSource = createDataSource(config.database);
  await dataSource.initialize();

  const lifecycle = { draining: false };
  const app = createApp({ config, dataSource, keys, logger, lifecycle });
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT, headersTimeout: HEADERS_TIMEOUT },
    (req, res) => {
      // Under keep-alive the server would otherwise never be rid of its clients.
      if (lifecycle.draining) res.setHeader('Connection', 'close');
      app(req, res);
    },
  );
  server.once('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used: ${error.message}`;
    process.stderr.write(`port ${config.port} ${reason}\n`);
    process.exit(1);
  });
  server.listen(config.port, () => {
    logger.info('listening', { event: 'sys_startup', port: config.port });
  });

  const stop = (signal: string) => {
    if (lifecycle.draining) return;
    lifecycle.draining = true;
    logger.info('stopping', { event: 'sys_shutdown', signal });
    setTimeout(() => {
      server.closeAllConnections();
    }, DRAIN_TIMEOUT).unref();
    server.close(() => {
      void dataSource.destroy().finally(() => process.exit(0));
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(
    `the service cannot start: ${error instanceof Error ? error.message : ''}\n`,
  );
  process.exit(1);
});
