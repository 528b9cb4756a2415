import type { Config } from '../../src/config';
import { SERVICE_SETTINGS } from '../../src/config/data-source';

/** The role of the run's pooler, which has the settings of the service. */
export const POOLED_ROLE = 'pooled';

/**
 * The same database through the run's pooler, if it has one: `npm run proof:poolers` runs specs so.
 */
export function pooled(database: Config['database']): Config['database'] {
  const port = process.env.TEST_POOLER_PORT;
  if (port === undefined || database.pooler === 'transaction') return database;
  return { ...database, port: Number(port), username: POOLED_ROLE, pooler: 'transaction' };
}

/** The statements that give a role the settings of the service. */
export const roleSettings = (role: string, changed: Record<string, string> = {}): string[] =>
  Object.entries({ ...SERVICE_SETTINGS, ...changed }).map(([name, value]) => {
    const text = name === 'search_path' ? value : `'${value}'`;
    return `ALTER ROLE ${role} SET ${name} = ${text}`;
  });
