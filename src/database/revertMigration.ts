import { MigrationExecutor, type DataSource } from 'typeorm';
import { withMigrationLock } from './withMigrationLock';

/** Reverts the last migration; resolves to its name, or undefined if none has run. */
export function revertMigration(dataSource: DataSource): Promise<string | undefined> {
  return withMigrationLock(dataSource, async () => {
    const [last] = await new MigrationExecutor(dataSource).getExecutedMigrations();
    if (last) await dataSource.undoLastMigration({ transaction: 'each' });
    return last?.name;
  });
}
