import { loadConfig } from '../config';
import { SERVICE_OPTIONS } from '../config/data-source';
import { createLogger } from '../config/logger';
import { createSessions } from '../services';
import { databaseLabel } from './databaseLabel';
import { runCommand } from './runCommand';
import { withDatabase } from './withDatabase';

/** Deletes what has expired, once: for a cron job if the service's own purge is switched off. */
void runCommand(() => {
  const config = loadConfig();
  return withDatabase(
    config.database,
    async (dataSource) => {
      const { purge } = createSessions({ config, dataSource, logger: createLogger(config) });
      const count = await purge.run();
      return `${count} expired sessions purged in ${databaseLabel(config.database)}`;
    },
    SERVICE_OPTIONS,
  );
});
