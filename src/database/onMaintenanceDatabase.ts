import type { DataSource } from 'typeorm';
import type { Config } from '../config';
import { createDataSource, MIGRATION_OPTIONS } from '../config/data-source';

/** There is no such database, or not for this user. */
const UNUSABLE = ['3D000', '42501', '28000'];

/**
 * Runs `work` connected to a database that every server has, because a database cannot be created or
 * dropped from within.
 */
export async function onMaintenanceDatabase<T>(
  database: Config['database'],
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const connect = (name: string) =>
    createDataSource({ ...database, name, poolSize: 1 }, MIGRATION_OPTIONS).initialize();
  const dataSource = await connect('postgres').catch((error: unknown) => {
    if (!UNUSABLE.includes((error as { code?: string }).code ?? '')) throw error;
    return connect('template1');
  });
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
