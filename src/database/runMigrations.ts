import type { DataSource, Migration } from 'typeorm';
import { withMigrationLock } from './withMigrationLock';

/** Runs the pending migrations, each in a transaction; resolves to those that ran. */
export function runMigrations(dataSource: DataSource): Promise<Migration[]> {
  return withMigrationLock(dataSource, () => dataSource.runMigrations({ transaction: 'each' }));
}
