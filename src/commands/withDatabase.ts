import type { DataSource } from 'typeorm';
import type { Config } from '../config';
import { createDataSource, MIGRATION_OPTIONS } from '../config/data-source';
import { explainDatabaseError } from './explainDatabaseError';

/** One connection for the work, and one for the migration lock. */
const POOL_SIZE = 2;

/** Runs `work` on a connected data source. @throws {CommandError} if the database cannot be used. */
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
