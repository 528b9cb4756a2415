import type { Statement } from './Database';
import { userColumns } from './userColumns';

/** Hot: every request with an access token. $1 sessions, $2 users, in one order. Only live sessions. */
export const FIND_BY_SESSIONS: Statement = {
  name: 'users-by-sessions',
  text: `
    SELECT asked.session_id AS "sessionId", ${userColumns('account')}
    FROM unnest($1::uuid[], $2::integer[]) AS asked (session_id, user_id)
    JOIN refresh_tokens AS token
      ON token.session_id = asked.session_id AND token.user_id = asked.user_id
    JOIN users AS account ON account.id = token.user_id
    WHERE token.expires_at > now()`,
};
