import { loadDatabaseConfig } from '../config';
import { revertMigration } from '../database/revertMigration';
import { runMigrations } from '../database/runMigrations';
import { CommandError } from './CommandError';
import { databaseLabel } from './databaseLabel';
import { runCommand } from './runCommand';
import { withDatabase } from './withDatabase';

const USAGE = 'usage: migrate [run | revert]';

/** Runs the pending migrations, or reverts the last one. */
void runCommand(async ([action = 'run', ...rest]) => {
  if (!['run', 'revert'].includes(action) || rest.length > 0) throw new CommandError(USAGE);
  const { database } = loadDatabaseConfig();
  const label = databaseLabel(database);
  return withDatabase(database, async (dataSource) => {
    if (action === 'run') {
      const run = await runMigrations(dataSource);
      return [`${run.length} migrations run in ${label}`, ...run.map(({ name }) => name)].join(
        '\n',
      );
    }
    const name = await revertMigration(dataSource);
    return name ? `reverted ${name} in ${label}` : `nothing to revert in ${label}`;
  });
});
