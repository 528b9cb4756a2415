import { loadDatabaseConfig, type Config } from '../config';
import { createDatabase } from '../database/createDatabase';
import { dropDatabase } from '../database/dropDatabase';
import { CommandError } from './CommandError';
import { databaseLabel } from './databaseLabel';
import { explainDatabaseError } from './explainDatabaseError';
import { runCommand } from './runCommand';

const USAGE = 'usage: database create | drop [--force]';
const SYSTEM_DATABASES = ['postgres', 'template0', 'template1'];
/** PostgreSQL silently truncates a longer name, and would use another database. */
const MAX_NAME_BYTES = 63;

/** Creates or drops the database of the settings. */
void runCommand(async ([action = '', ...flags]) => {
  if (!['create', 'drop'].includes(action) || flags.some((flag) => flag !== '--force'))
    throw new CommandError(USAGE);
  const { environment, database } = loadDatabaseConfig();
  if (Buffer.byteLength(database.name) > MAX_NAME_BYTES)
    throw new CommandError(`DB_NAME must have at most ${MAX_NAME_BYTES} bytes`);
  try {
    const outcome =
      action === 'create'
        ? await create(database)
        : await drop(database, flags.includes('--force') || environment !== 'prod');
    return `${databaseLabel(database)}: ${outcome}`;
  } catch (error) {
    throw explainDatabaseError(error, database);
  }
});

async function create(database: Config['database']): Promise<string> {
  return (await createDatabase(database)) ? 'created' : 'already there';
}

async function drop(database: Config['database'], isAllowed: boolean): Promise<string> {
  if (SYSTEM_DATABASES.includes(database.name))
    throw new CommandError(`${database.name} belongs to the server: it is not dropped`);
  if (!isAllowed)
    throw new CommandError(`refusing to drop ${databaseLabel(database)} in prod without --force`);
  return (await dropDatabase(database)) ? 'dropped' : 'not there';
}
