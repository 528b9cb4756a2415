import type { DataSource } from 'typeorm';

export async function databaseExists(dataSource: DataSource, name: string): Promise<boolean> {
  const rows = await dataSource.query<unknown[]>('SELECT FROM pg_database WHERE datname = $1', [
    name,
  ]);
  return rows.length > 0;
}
