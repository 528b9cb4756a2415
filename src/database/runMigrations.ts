import type { DataSource, Migration } from 'typeorm';
import { FIND_ENCODING } from './healthStatements';
import { requireUtf8 } from './requireUtf8';
import { withMigrationLock } from './withMigrationLock';

/**
 * Runs the pending migrations, each in a transaction, and resolves to them.
 *
 * @throws {ConfigError} if the encoding of the database is not UTF8.
 */
export async function runMigrations(dataSource: DataSource): Promise<Migration[]> {
  const [found] = await dataSource.query<{ encoding: string }[]>(FIND_ENCODING.text);
  requireUtf8(found?.encoding);
  return withMigrationLock(dataSource, () => dataSource.runMigrations({ transaction: 'each' }));
}
