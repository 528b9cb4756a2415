import type { Statement } from './Database';

/**
 * Hot: every probe of every replica. $1 names of migrations. Migrations that newer replicas have run
 * do not count; a database that refuses writes counts as having run none.
 */
export const COUNT_MIGRATIONS: Statement = {
  name: 'health-migrations',
  text: `
    SELECT count(*)::integer AS run FROM migrations
    WHERE name = ANY($1) AND current_setting('transaction_read_only') = 'off'`,
};
