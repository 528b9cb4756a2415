import type { DataSource } from 'typeorm';

/** Any number that no other advisory lock on this database uses. */
const LOCK = 4_701_237;

/** Runs `work` while no other process changes the schema. Needs two connections of the pool. */
export async function withMigrationLock<T>(
  dataSource: DataSource,
  work: () => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [LOCK]);
    try {
      return await work();
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [LOCK]);
    }
  } finally {
    await runner.release();
  }
}
