import { BCRYPT_PREFIX } from './bcryptPrefix';
import type { Statement } from './Database';

/**
 * Hot: every attempt to sign in. $1 e-mail. Always one row: the account, if it exists, and the highest
 * bcrypt rounds of any account, because every refusal takes as long as the slowest one.
 */
export const FIND_CREDENTIALS: Statement = {
  name: 'user-credentials',
  text: `
    SELECT account.id, account.password AS "passwordHash", (
      SELECT max(substring(password, 5, 2)) FROM users WHERE password ~ '${BCRYPT_PREFIX}'
    )::integer AS "highestRounds"
    FROM (VALUES ($1::varchar)) AS asked (email)
    LEFT JOIN users AS account ON account.email = asked.email`,
};
