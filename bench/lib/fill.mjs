import bcrypt from 'bcrypt';
import { BROWSER_HEADERS, PASSWORD } from './accounts.mjs';

/** The work factor of the stored hashes: the default of the service. */
const ROUNDS = 10;
/** The sessions were last refreshed at moments of this many seconds; the oldest have expired. */
const SPREAD = 2_640_000;

/**
 * A session in the tables.
 * @typedef {{ id: string, userId: number, sessionId: string, expiresAt: number }} Session
 */

/**
 * Fills the tables of a migrated database.
 * @param {import('pg').Client} client
 * @param {{ rows: number, users: number }} size
 */
export async function fill(client, { rows, users }) {
  const { rows: indexes } = await client.query(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
     WHERE tablename = 'refresh_tokens' AND indexname LIKE '%_idx'`,
  );
  // An index that is built at the end takes a fraction of the time.
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
  await client.query('ALTER TABLE refresh_tokens DROP CONSTRAINT refresh_tokens_session_id_key');
  // Skips the foreign key checks: every user_id exists.
  await client.query('SET session_replication_role = replica');
  await client.query(
    `INSERT INTO users ("firstName", "lastName", email, password)
     SELECT 'Ada', 'Lovelace', 'user' || n || '@example.com', $1
     FROM generate_series(1, $2::integer) AS n`,
    [await bcrypt.hash(PASSWORD, ROUNDS), users],
  );
  await client.query(
    `INSERT INTO refresh_tokens (user_id, session_id, session_started_at, user_agent, ip_address,
                                 created_at, expires_at)
     SELECT 1 + n % $1::integer, gen_random_uuid(), moment, $2, '192.0.2.1', moment,
            moment + interval '30 days'
     FROM generate_series(1, $3::integer) AS n, LATERAL (
       SELECT date_trunc('seconds', now()) - n % ${SPREAD} * interval '1 second'
     ) AS t (moment)`,
    [users, BROWSER_HEADERS['user-agent'], rows],
  );
  await client.query('SET session_replication_role = DEFAULT');
  await client.query(
    `ALTER TABLE refresh_tokens ADD CONSTRAINT refresh_tokens_session_id_key UNIQUE (session_id)`,
  );
  for (const { definition } of indexes) await client.query(definition);
  await client.query('VACUUM ANALYZE users, refresh_tokens');
  await client.query('CHECKPOINT');
}

/**
 * Live sessions from all parts of the table, in no order.
 * @param {import('pg').Client} client
 * @param {number} count the result may have fewer
 * @returns {Promise<Session[]>}
 */
export async function someSessions(client, count) {
  const { rows: sessions } = await client.query(
    `SELECT id, user_id AS "userId", session_id AS "sessionId",
            extract(epoch FROM expires_at)::integer AS "expiresAt"
     FROM refresh_tokens
     WHERE id IN (
       SELECT lowest + floor(random() * (1 + highest - lowest))::bigint
       FROM generate_series(1, $1::integer),
            (SELECT min(id) AS lowest, max(id) AS highest FROM refresh_tokens) AS ids)
       AND expires_at > now() + interval '1 hour'
     ORDER BY random()`,
    [count],
  );
  return sessions;
}
