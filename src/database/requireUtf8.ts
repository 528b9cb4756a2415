import { ConfigError } from '../config/ConfigError';

/** @throws {ConfigError} if a database with this encoding cannot hold every name. */
export function requireUtf8(encoding: string | undefined): void {
  if (encoding !== 'UTF8')
    throw new ConfigError([
      `the database has the encoding ${String(encoding)}: create it with ` +
        `"CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"`,
    ]);
}
