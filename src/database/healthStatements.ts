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

/** Runs once, at the start. $1 names of settings. Their values as numbers have no unit. */
export const FIND_SETTINGS: Statement = {
  name: 'health-settings',
  text: `
    SELECT lower(name) AS name, setting AS value, quote_ident(current_user) AS role
    FROM pg_settings WHERE lower(name) = ANY ($1)`,
};

/** Runs once, at the start. */
export const FIND_ENCODING: Statement = {
  name: 'health-encoding',
  text: `SELECT current_setting('server_encoding') AS encoding`,
};
