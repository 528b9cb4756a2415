import type { Statement } from './Database';

/** Hot: every attempt to sign in. $1 keys, $2 e-mail, $3 network, $4 now in milliseconds since 1970. */
export const COUNTERS: Statement = {
  name: 'attempt-counters',
  text: `
    SELECT key, points, (expire - $4)::integer AS milliseconds, EXISTS (
      SELECT FROM users JOIN sign_in_networks ON user_id = users.id
      WHERE email = $2 AND network = $3
    ) AS familiar
    FROM rate_limits WHERE key = ANY ($1) AND expire > $4`,
};
