import { ConfigError } from '../config';
import type { Database } from './Database';
import { FIND_ENCODING } from './healthStatements';

/** @throws {ConfigError} if the database cannot hold every name: its encoding is not UTF8. */
export async function requireUtf8(database: Database): Promise<void> {
  const [found] = await database.query<{ encoding: string }>(FIND_ENCODING, []);
  if (found?.encoding !== 'UTF8')
    throw new ConfigError([
      `the database has the encoding ${String(found?.encoding)}: create it with ` +
        `"CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"`,
    ]);
}
