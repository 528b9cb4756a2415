import type { DataSource, Migration } from 'typeorm';
import { withMigrationLock } from './withMigrationLock';

/** Runs the pending migrations, each in a transaction, and resolves to them. */
export function runMigrations(dataSource: DataSource): Promise<Migration[]> {
  return withMigrationLock(dataSource, () => dataSource.runMigrations({ transaction: 'each' }));
}
