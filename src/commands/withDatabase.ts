import type { DataSource } from 'typeorm';
import type { Config } from '../config';
import { createDataSource, MIGRATION_OPTIONS } from '../config/data-source';
import { explainDatabaseError } from './explainDatabaseError';

/** One for the work, and one that holds a lock. */
const POOL_SIZE = 2;

/**
 * Runs `work` on a connected data source, and closes it. `options` are PostgreSQL's, for each
 * connection; without a timeout a migration takes the time it needs.
 * @throws {CommandError} that says in one line what is wrong with the database.
 */
export async function withDatabase<T>(
  database: Config['database'],
  work: (dataSource: DataSource) => Promise<T>,
  options = MIGRATION_OPTIONS,
): Promise<T> {
  const dataSource = createDataSource({ ...database, poolSize: POOL_SIZE }, options);
  try {
    await dataSource.initialize();
    return await work(dataSource);
  } catch (error) {
    throw explainDatabaseError(error, database);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
