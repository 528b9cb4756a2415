import { escapeIdentifier } from 'pg';
import type { Config } from '../config';
import { databaseExists } from './databaseExists';
import { onMaintenanceDatabase } from './onMaintenanceDatabase';

/** Drops the database, even with open connections, and resolves to whether it existed. */
export function dropDatabase({ name, ...server }: Config['database']): Promise<boolean> {
  const identifier = escapeIdentifier(name);
  return onMaintenanceDatabase({ name, ...server }, async (dataSource) => {
    if (!(await databaseExists(dataSource, name))) return false;
    // PostgreSQL 12 has no DROP DATABASE … WITH (FORCE). Without new connections a drop cannot fail
    // because of a pool that reconnects.
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
