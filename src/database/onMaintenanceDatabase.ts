import type { DataSource } from 'typeorm';
import type { Config } from '../config';
import { createDataSource, MIGRATION_OPTIONS } from '../config/data-source';

/** The database does not exist, or this role may not use it. */
const UNUSABLE = ['3D000', '42501', '28000'];

/** Runs `work` on another database: PostgreSQL cannot create or drop the one it is connected to. */
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
