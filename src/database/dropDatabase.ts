import { escapeIdentifier } from 'pg';
import type { Config } from '../config';
import { databaseExists } from './databaseExists';
import { onMaintenanceDatabase } from './onMaintenanceDatabase';

/** Drops the database, even with open connections; resolves to whether it existed. */
export function dropDatabase({ name, ...server }: Config['database']): Promise<boolean> {
  const identifier = escapeIdentifier(name);
  return onMaintenanceDatabase({ name, ...server }, async (dataSource) => {
    if (!(await databaseExists(dataSource, name))) return false;
    // A pool that reconnects would make the drop fail; PostgreSQL 12 has no WITH (FORCE).
    await dataSource.query(`ALTER DATABASE ${identifier} ALLOW_CONNECTIONS false`);
    try {
      await dataSource.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
        [name],
      );
      await dataSource.query(`DROP DATABASE ${identifier}`);
      return true;
    } catch (error) {
      await dataSource.query(`ALTER DATABASE ${identifier} ALLOW_CONNECTIONS true`);
      throw error;
    }
  });
}
