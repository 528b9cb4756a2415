import { loadConfig } from '../config';
import { SERVICE_OPTIONS } from '../config/data-source';
import { createLogger } from '../config/logger';
import { Database } from '../database/Database';
import { SessionPurge } from '../service/SessionPurge';
import { SessionService } from '../service/SessionService';
import { databaseLabel } from './databaseLabel';
import { runCommand } from './runCommand';
import { withDatabase } from './withDatabase';

/** Deletes what has expired, once: for a cron job if the service's own purge is switched off. */
void runCommand(() => {
  const config = loadConfig();
  return withDatabase(
    config.database,
    async (dataSource) => {
      const sessions = new SessionService(config.sessions, new Database(dataSource).query);
      const count = await new SessionPurge(sessions, createLogger(config)).run();
      return `${count} expired sessions purged in ${databaseLabel(config.database)}`;
    },
    SERVICE_OPTIONS,
  );
});
