import { loadConfig } from '../config';
import { createDataSource } from '../config/data-source';
import { Database } from '../database/Database';
import { createLogger } from '../config/logger';
import { SessionPurge } from '../service/SessionPurge';
import { SessionService } from '../service/SessionService';

/** Deletes what has expired, once: for a cron job, where the service's own purge is switched off. */
async function main(): Promise<void> {
  const config = loadConfig();
  const dataSource = await createDataSource(config.database).initialize();
  try {
    const sessions = new SessionService(config.sessions, new Database(dataSource).query);
    const count = await new SessionPurge(sessions, createLogger(config)).run();
    process.stdout.write(`${count} expired sessions purged\n`);
  } finally {
    await dataSource.destroy();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
