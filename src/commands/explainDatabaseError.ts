import type { Config } from '../config';
import { isDatabaseUnavailable } from '../database/databaseErrors';
import { CommandError } from './CommandError';
import { databaseLabel } from './databaseLabel';

/** One line for the operator if the error comes from the database; otherwise the error itself. */
export function explainDatabaseError(error: unknown, database: Config['database']): unknown {
  const reason = reasonOf(error, database);
  return reason === undefined ? error : new CommandError(reason, { cause: error });
}

function reasonOf(error: unknown, database: Config['database']): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, severity } = error as { code?: string; severity?: string };
  const server = `PostgreSQL at ${database.host}:${database.port}`;
  if (code === '28P01') return `${server} does not accept DB_USERNAME with this DB_PASSWORD`;
  if (code === '3D000')
    return `there is no ${databaseLabel(database)}: create it with npm run db:create, or node dist/commands/database.js create`;
  if (code === '42P01')
    return `${databaseLabel(database)} lacks a table: run npm run migration:run, or node dist/commands/migrate.js`;
  if (severity !== undefined) return `${server}: ${error.message}`;
  if (isDatabaseUnavailable(error)) return `cannot reach ${server} (${code ?? error.message})`;
  return undefined;
}
