import type { Statement } from './Database';

/**
 * Race: replicas that purge at once. $1 limit. Skips locked rows. The keys go through arrays, because a
 * join with the rows themselves would read the whole table once much of it has expired. By ctid it would
 * delete live sessions: each partition has the same ctids.
 */
export const PURGE: Statement = {
  name: 'session-purge',
  text: `
    WITH expired AS MATERIALIZED (
      SELECT user_id, id FROM refresh_tokens WHERE expires_at <= now()
      ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    DELETE FROM refresh_tokens AS token
    USING unnest(ARRAY(SELECT user_id FROM expired), ARRAY(SELECT id FROM expired))
      AS gone (user_id, id)
    WHERE token.user_id = gone.user_id AND token.id = gone.id
    RETURNING token.id`,
};

/** Hot: every reading of the figures. $1 the number of rows that are counted at most. */
export const FIND_BACKLOG: Statement = {
  name: 'session-backlog',
  text: `
    SELECT count(*)::integer AS rows,
      coalesce(extract(epoch FROM now() - min(expires_at)), 0)::float AS seconds
    FROM (
      SELECT expires_at FROM refresh_tokens WHERE expires_at <= now() ORDER BY expires_at LIMIT $1
    ) AS expired`,
};

/** Race: as PURGE. $1 limit, $2 now in milliseconds since 1970. */
export const FORGET_COUNTERS: Statement = {
  name: 'counter-forget',
  text: `
    DELETE FROM rate_limits WHERE key = ANY (ARRAY(
      SELECT key FROM rate_limits WHERE expire <= $2
      ORDER BY expire LIMIT $1 FOR UPDATE SKIP LOCKED
    )) RETURNING key`,
};

/** Race: as PURGE. $1 limit, $2 age in seconds. */
export const FORGET_NETWORKS: Statement = {
  name: 'network-forget',
  text: `
    WITH unused AS MATERIALIZED (
      SELECT user_id, network FROM sign_in_networks
      WHERE last_used_at < now() - make_interval(secs => $2)
      ORDER BY last_used_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    DELETE FROM sign_in_networks AS known
    USING unnest(ARRAY(SELECT user_id FROM unused), ARRAY(SELECT network FROM unused))
      AS gone (user_id, network)
    WHERE known.user_id = gone.user_id AND known.network = gone.network
    RETURNING known.user_id`,
};
