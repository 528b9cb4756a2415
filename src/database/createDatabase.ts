import { escapeIdentifier } from 'pg';
import type { Config } from '../config';
import { databaseExists } from './databaseExists';
import { onMaintenanceDatabase } from './onMaintenanceDatabase';

/** Two commands at once fail with duplicate_database, or at the catalogue's unique index. */
const ALREADY_THERE = ['42P04', '23505'];

/** Creates the database; resolves to whether it was missing. */
export function createDatabase(database: Config['database']): Promise<boolean> {
  return onMaintenanceDatabase(database, async (dataSource) => {
    if (await databaseExists(dataSource, database.name)) return false;
    try {
      await dataSource.query(`CREATE DATABASE ${escapeIdentifier(database.name)}`);
      return true;
    } catch (error) {
      if (ALREADY_THERE.includes((error as { code?: string }).code ?? '')) return false;
      throw error;
    }
  });
}
