import { loadConfig } from '../config';
import { createDataSource } from '../config/data-source';
import { createLogger } from '../config/logger';
import { createPurge } from '../services';

/** Deletes what has expired, once: for a cron job if the service's own purge is switched off. */
async function main(): Promise<void> {
  const config = loadConfig();
  const dataSource = await createDataSource(config.database).initialize();
  try {
    const count = await createPurge({ config, dataSource, logger: createLogger(config) }).run();
    process.stdout.write(`${count} expired sessions purged\n`);
  } finally {
    await dataSource.destroy();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
