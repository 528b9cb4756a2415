import type { Statement } from './Database';

/** Hot: every readiness probe. $1 this version's migrations; those of newer versions do not count. */
export const FIND_STATE: Statement = {
  name: 'health-state',
  text: `
    SELECT current_setting('transaction_read_only') = 'on' AS "readOnly",
      ARRAY(
        SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS needed (name, position)
        WHERE NOT EXISTS (SELECT FROM migrations WHERE migrations.name = needed.name)
        ORDER BY position
      ) AS pending`,
};

/** Runs once, at the start. */
export const FIND_ENCODING: Statement = {
  name: 'health-encoding',
  text: `SELECT current_setting('server_encoding') AS encoding`,
};
