import cluster from 'node:cluster';
import module from 'node:module';
import path from 'node:path';
import { runWorkers } from './cluster';
import { loadConfig, sizeThreadPool, type Config } from './config';
import { ConfigError } from './config/ConfigError';
import { createLogger, type Logger } from './config/logger';
import { PROJECT_ROOT } from './config/projectRoot';
import { unsafeSettings } from './config/unsafeSettings';
import { exposedKeyFiles } from './keys/exposedKeyFiles';
import { KeyRing } from './keys/KeyRing';
import { KeyError } from './keys/keySet';
import type * as WorkerFigures from './metrics/openWorkerFigures';
import type * as Serve from './serve';

/** Reads the settings, then runs either workers or the service. */
async function main(): Promise<void> {
  sizeThreadPool();
  const { config, keys } = await readSettings();
  const logger = createLogger(config);
  if (cluster.isPrimary && config.environment === 'prod') warnOfUnsafeSettings(config, logger);
  if (cluster.isPrimary && config.webConcurrency > 1) {
    const figures = config.metrics && (await openFigures(config.metrics));
    runWorkers(config.webConcurrency, logger, figures?.workerRestarted);
    return;
  }
  cacheCompiledModules();
  // Loaded only here, to save the memory in a primary process.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() cannot load TypeScript
  const { serve } = require('./serve') as typeof Serve;
  await serve(config, keys, logger);
}

/** Where the folder can be written, the next start takes a third less time. Node 20 has no such cache. */
function cacheCompiledModules(): void {
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => void };
  enableCompileCache?.(path.join(PROJECT_ROOT, 'node_modules/.cache/compiled'));
}

/** Loaded only with METRICS_PORT. */
function openFigures(settings: NonNullable<Config['metrics']>) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() cannot load TypeScript
  const { openWorkerFigures } = require('./metrics/openWorkerFigures') as typeof WorkerFigures;
  return openWorkerFigures(settings);
}

/** All settings and keys, or exit code 1 with one line for each that is missing or invalid. */
async function readSettings(): Promise<{ config: Config; keys: KeyRing }> {
  try {
    const config = loadConfig();
    return { config, keys: await KeyRing.open(config.keys) };
  } catch (error) {
    if (error instanceof ConfigError || error instanceof KeyError) fail(error.message);
    throw error;
  }
}

function warnOfUnsafeSettings(config: Config, logger: Logger): void {
  const warn = (message: string, fields: object) =>
    logger.warn(message, { event: 'sys_unsafe_setting', ...fields });
  for (const [setting, reason] of unsafeSettings(config)) warn(`${setting} ${reason}`, { setting });
  const files = config.keys.privateKey === undefined ? exposedKeyFiles(config.keys.dir) : [];
  for (const file of files)
    warn('a private key can be read by every user of this machine: remove that permission', {
      file,
    });
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

main().catch((error: unknown) => {
  fail(`the service cannot start: ${error instanceof Error ? error.message : String(error)}`);
});
