import type { Statement } from './Database';

/** $1 sessions, $2 their users, in the same order. No row for a session that has ended. */
export const FIND_BY_SESSIONS: Statement = {
  name: 'users-by-sessions',
  text: `
    SELECT asked.session_id AS "sessionId", account.id, "firstName", "lastName", email, role,
           account.created_at AS "createdAt", account.updated_at AS "updatedAt"
    FROM unnest($1::uuid[], $2::integer[]) AS asked (session_id, user_id)
    JOIN refresh_tokens AS token
      ON token.session_id = asked.session_id AND token.user_id = asked.user_id
    JOIN users AS account ON account.id = token.user_id
    WHERE token.expires_at > now()`,
};

/** $1 e-mail. */
export const FIND_CREDENTIALS: Statement = {
  name: 'user-credentials',
  text: 'SELECT id, password AS "passwordHash" FROM users WHERE email = $1',
};

/** $1 user, $2 firstName and $3 lastName, each null where it stays. */
export const RENAME: Statement = {
  name: 'user-rename',
  text: `
    UPDATE users
    SET "firstName" = coalesce($2, "firstName"), "lastName" = coalesce($3, "lastName"),
        updated_at = now()
    WHERE id = $1
    RETURNING id, "firstName", "lastName", email, role,
              created_at AS "createdAt", updated_at AS "updatedAt"`,
};

/** $1 user, $2 the hash that was verified, $3 the new one. */
export const REPLACE_PASSWORD: Statement = {
  name: 'user-replace-password',
  text: `
    UPDATE users SET password = $3, updated_at = now() WHERE id = $1 AND password = $2
    RETURNING id`,
};

/** $1 user, $2 the hash that was verified. Sessions go with their user. */
export const DELETE_USER: Statement = {
  name: 'user-delete',
  text: 'DELETE FROM users WHERE id = $1 AND password = $2 RETURNING id',
};
