import path from 'node:path';
import { startEmbeddedPostgres } from '../embedded-postgres/startEmbeddedPostgres.mjs';
import { dataFolder } from '../folders.mjs';

/**
 * In dev and test, unless the settings name a server: starts or adopts an embedded PostgreSQL, and
 * makes them name it.
 *
 * @param {(line: string) => void} log
 * @returns the embedded PostgreSQL; undefined for a server that is not ours
 */
export async function ensureDatabase(log) {
  const { env } = process;
  if (env.NODE_ENV === 'prod' || env.DATABASE_URL || env.DATABASE_URL_FILE) return undefined;
  env.DB_NAME ||= `auth_service_${env.NODE_ENV}`;
  if (env.DB_HOST) return undefined;
  const server = await startEmbeddedPostgres({ dataDir: path.join(dataFolder(), 'postgres'), log });
  env.DB_HOST = server.host;
  env.DB_PORT = String(server.port);
  env.DB_USERNAME = server.username;
  env.DB_PASSWORD = server.password;
  return server;
}
