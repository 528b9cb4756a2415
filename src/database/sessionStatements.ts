import type { Statement } from './Database';

const liveSession = (owner = 'owner') => `
  token.session_id AS "sessionId", token.user_id AS "userId", ${owner}.role,
  token.id AS "tokenId", token.created_at AS "createdAt", token.expires_at AS "expiresAt"`;

/** A token that is replaced now, as an element of `predecessors`. Takes and returns SQL. */
const replacedNow = (id: string, tripwire = false) =>
  `jsonb_build_object('id', ${id}::text, 'replacedAt', now()${tripwire ? `, 'tripwire', true` : ''})`;

/** When a token issued now expires. Takes and returns SQL; lifetimes in seconds. */
const expiry = (startedAt: string, sliding = '$5', absolute = '$6') => `
  least(now() + make_interval(secs => ${sliding}),
        ${startedAt} + make_interval(secs => ${absolute}))`;

const MAX_PREDECESSORS = 32;

/** The number of networks that a user has signed in from and that count as familiar. */
const MAX_NETWORKS = 32;

/**
 * The successor's predecessors: the tokens replaced now, then the row's own, unless its live token is
 * older than the window. Some may be too old to count: SETTLE checks their times.
 */
const predecessorsOf = (row: string, ...replaced: string[]) => `
  jsonb_build_array(${replaced.join(', ')}) || CASE
    WHEN ${row}.created_at < now() - make_interval(secs => $4) THEN '[]'
    ELSE jsonb_path_query_array(
      ${row}.predecessors, '$[0 to ${MAX_PREDECESSORS - replaced.length - 1}]')
  END`;

/**
 * Race: login and change of password. $1 user, $2 password hash, $3 session, $4 lifetime in seconds,
 * $5 user agent, $6 address, $7 network, familiar from now on, $8 sessions to end if they are the user's.
 * Returns those that ended as `replaced`, and the number of the user's other sessions as `others`.
 *
 * FOR SHARE: either a change of password sees this session, or this statement sees the new password.
 * Two logins would deadlock on networks that both forget without SKIP LOCKED, and on networks that they
 * come from if these were not locked first: `forgotten` waits for `familiar`.
 */
export const OPEN: Statement = {
  name: 'session-open',
  text: `
    WITH owner AS (
      SELECT id, role FROM users WHERE id = $1 AND password = $2 FOR SHARE
    ), token AS (
      INSERT INTO refresh_tokens (user_id, session_id, session_started_at, expires_at,
                                  created_at, updated_at, user_agent, ip_address)
      SELECT id, $3, now(), now() + make_interval(secs => $4), now(), now(), $5, $6 FROM owner
      RETURNING *
    ), replaced AS (
      DELETE FROM refresh_tokens AS token USING owner
      WHERE token.session_id = ANY($8::uuid[]) AND token.user_id = $1
      RETURNING token.session_id
    ), familiar AS (
      INSERT INTO sign_in_networks (user_id, network, last_used_at)
      SELECT id, $7, now() FROM owner WHERE $7::inet IS NOT NULL
      ON CONFLICT (user_id, network) DO UPDATE SET last_used_at = excluded.last_used_at
      RETURNING user_id
    ), forgotten AS (
      DELETE FROM sign_in_networks WHERE (user_id, network) IN (
        SELECT old.user_id, old.network
        FROM sign_in_networks AS old JOIN familiar ON familiar.user_id = old.user_id
        WHERE old.network <> $7::inet AND old.last_used_at < (
          SELECT last_used_at FROM sign_in_networks WHERE user_id = $1 AND network <> $7::inet
          ORDER BY last_used_at DESC OFFSET ${MAX_NETWORKS - 2} LIMIT 1)
        FOR UPDATE OF old SKIP LOCKED)
    )
    SELECT ${liveSession()},
      ARRAY(SELECT session_id FROM replaced) AS replaced,
      ((SELECT count(*) FROM refresh_tokens WHERE user_id = $1)
        - (SELECT count(*) FROM replaced))::integer AS others
    FROM token JOIN owner ON true`,
};

/** Race: parallel logins of one user. $1 user, $2 sessions to keep. Separate from OPEN to see its row. */
export const TRIM: Statement = {
  name: 'session-trim',
  text: `
    DELETE FROM refresh_tokens WHERE user_id = $1 AND session_id IN (
      SELECT session_id FROM refresh_tokens WHERE user_id = $1
      ORDER BY created_at DESC, id DESC OFFSET $2
    )`,
};

/** Hot: every logout. $1 session, $2 user. Returns a row if the session existed. */
export const CLOSE: Statement = {
  name: 'session-close',
  text: 'DELETE FROM refresh_tokens WHERE session_id = $1 AND user_id = $2 RETURNING id',
};

/**
 * Race: two sessions that end each other. $1 caller's session, $2 user, $3 whether to keep the caller's
 * session. Returns no row if the caller's session has ended: it cannot end others.
 */
export const CLOSE_ALL: Statement = {
  name: 'session-close-all',
  text: `
    WITH owner AS MATERIALIZED (
      SELECT id FROM users WHERE id = $2 FOR NO KEY UPDATE
    ), caller AS MATERIALIZED (
      SELECT token.user_id FROM owner JOIN refresh_tokens AS token ON token.user_id = $2
      WHERE token.session_id = $1 AND token.expires_at > now() FOR UPDATE OF token
    ), ended AS (
      DELETE FROM refresh_tokens AS token USING caller
      WHERE token.user_id = $2 AND NOT ($3 AND token.session_id = $1)
      RETURNING token.id
    )
    SELECT (SELECT count(*) FROM ended)::integer AS ended FROM caller`,
};

/**
 * Race: refresh and change of password. $1 session, $2 user, $3 sliding and $4 absolute lifetime in
 * seconds. The new live token has no predecessors, so every older token is theft from now on.
 */
export const RENEW: Statement = {
  name: 'session-renew',
  text: `
    UPDATE refresh_tokens AS token
    SET id = DEFAULT, predecessors = '[]',
        expires_at = ${expiry('token.session_started_at', '$3', '$4')},
        created_at = now(), updated_at = now()
    FROM users AS owner
    WHERE token.session_id = $1 AND token.user_id = $2
      AND token.expires_at > now() AND owner.id = token.user_id
    RETURNING ${liveSession()}`,
};

/** The assignments that turn a row into its successor. Takes and returns SQL. */
const successor = (predecessors: string, row: string, userAgent: string, ipAddress: string) => `
  id = DEFAULT, predecessors = ${predecessors}, expires_at = ${expiry(`${row}.session_started_at`)},
  created_at = now(), updated_at = now(), user_agent = ${userAgent}, ip_address = ${ipAddress}`;

/**
 * Hot, and a race: the verdict `rotate` for many tokens at once. $1 sessions, $2 tokens, $3 users, $7 user
 * agents, $8 addresses, in one order; $4 reuse window, $5 sliding and $6 absolute lifetime in seconds.
 * Returns a row for each live token, once, with the token as `presentedId`. Skips locked rows: every
 * request that shares the statement would wait, and two such statements could deadlock.
 */
export const ROTATE: Statement = {
  name: 'session-rotate',
  text: `
    WITH live AS MATERIALIZED (
      SELECT token.id, token.user_id, owner.role, presented.user_agent, presented.ip_address
      FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $7::varchar[], $8::inet[])
        AS presented (session_id, id, user_id, user_agent, ip_address)
      JOIN refresh_tokens AS token USING (id, session_id, user_id)
      JOIN users AS owner ON owner.id = user_id
      WHERE token.expires_at > now()
      FOR UPDATE OF token SKIP LOCKED
    )
    UPDATE refresh_tokens AS token
    SET ${successor(predecessorsOf('token', replacedNow('token.id')), 'token', 'live.user_agent', 'live.ip_address')}
    FROM live WHERE token.id = live.id AND token.user_id = live.user_id
    RETURNING live.id AS "presentedId", ${liveSession('live')}`,
};

/**
 * Race: any verdict, for one token. $1 session, $2 token, $3 user, $4 to $6 as in ROTATE, $7 user agent,
 * $8 address. Returns no row if the session is gone. With a window of 0 every replaced token is theft.
 *
 * Found by the session alone, in every partition if there are several: a token of another user is theft.
 * The lock comes first, so the verdict and the change see one state. A recovered token stays a
 * predecessor, replaced now, and the live one becomes a tripwire. A token may have two entries, of which
 * the first counts.
 */
export const SETTLE: Statement = {
  name: 'session-settle',
  text: `
    WITH live AS MATERIALIZED (
      SELECT * FROM refresh_tokens WHERE session_id = $1 FOR UPDATE
    ), judged AS MATERIALIZED (
      SELECT live.*,
        CASE
          WHEN live.expires_at <= now() THEN 'ended'
          WHEN live.user_id <> $3 OR live.id < $2 THEN 'unknown'
          WHEN live.id = $2 THEN 'rotate'
          WHEN past.replaced_at IS NULL OR $4 = 0 THEN 'superseded'
          WHEN past.replaced_at >= now() - make_interval(secs => $4) THEN 'replay'
          WHEN past.tripwire THEN 'tripwire'
          ELSE 'recover'
        END AS judgement
      FROM live LEFT JOIN LATERAL (
        SELECT replaced_at, entry ? 'tripwire' AS tripwire
        FROM jsonb_array_elements(live.predecessors) WITH ORDINALITY AS past (entry, place),
             LATERAL (SELECT (entry ->> 'replacedAt')::timestamptz) AS at (replaced_at)
        WHERE entry ->> 'id' = $2::bigint::text
          AND (place = 1 OR replaced_at >= live.created_at - make_interval(secs => $4))
        ORDER BY place LIMIT 1
      ) AS past ON true
    ), renewed AS (
      UPDATE refresh_tokens AS token
      SET ${successor(
        `CASE judgement
           WHEN 'rotate' THEN ${predecessorsOf('judged', replacedNow('judged.id'))}
           ELSE ${predecessorsOf('judged', replacedNow('$2::bigint'), replacedNow('judged.id', true))}
         END`,
        'judged',
        '$7',
        '$8',
      )}
      FROM judged
      WHERE judgement IN ('rotate', 'recover') AND token.session_id = judged.session_id
        AND token.user_id = $3
      RETURNING token.*
    ), stolen AS (
      DELETE FROM refresh_tokens AS token USING judged
      WHERE judgement IN ('superseded', 'tripwire', 'unknown')
        AND token.session_id = judged.session_id AND token.user_id = judged.user_id
    ), token AS (
      SELECT session_id, user_id, id, created_at, expires_at FROM renewed
      UNION ALL
      SELECT session_id, user_id, id, created_at, expires_at FROM judged
      WHERE judgement NOT IN ('rotate', 'recover')
    )
    SELECT ${liveSession()},
      CASE WHEN judgement IN ('superseded', 'tripwire', 'unknown') THEN 'theft' ELSE judgement END
        AS verdict,
      CASE WHEN judgement IN ('superseded', 'tripwire', 'unknown') THEN judgement END AS cause
    FROM judged JOIN token ON true JOIN users AS owner ON owner.id = token.user_id`,
};
