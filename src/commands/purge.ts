import { loadConfig } from '../config';
import { SERVICE_OPTIONS } from '../config/data-source';
import { createLogger } from '../config/logger';
import { createPurge } from '../services';
import { databaseLabel } from './databaseLabel';
import { runCommand } from './runCommand';
import { withDatabase } from './withDatabase';

/** Purges once, for a cron job if the service's own purge is off. */
void runCommand(() => {
  const config = loadConfig();
  return withDatabase(
    config.database,
    async (dataSource) => {
      const count = await createPurge({ config, dataSource, logger: createLogger(config) }).run();
      return `${count} expired sessions purged in ${databaseLabel(config.database)}`;
    },
    SERVICE_OPTIONS,
  );
});
