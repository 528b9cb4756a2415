import type { DataSource, Migration } from 'typeorm';
import { Database } from './Database';
import { requireUtf8 } from './requireUtf8';
import { withMigrationLock } from './withMigrationLock';

/**
 * Runs the pending migrations, each in a transaction, and resolves to them.
 *
 * @throws {ConfigError} if the encoding of the database is not UTF8.
 */
export async function runMigrations(dataSource: DataSource): Promise<Migration[]> {
  await requireUtf8(new Database(dataSource));
  return withMigrationLock(dataSource, () => dataSource.runMigrations({ transaction: 'each' }));
}
