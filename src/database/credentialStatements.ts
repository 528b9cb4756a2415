import type { Statement } from './Database';

/**
 * Hot: runs at every attempt to sign in. $1 e-mail. Always one row: the account, if there is one, and the
 * highest bcrypt rounds of any account, because a refusal has to take as long as the slowest of them.
 */
export const FIND_CREDENTIALS: Statement = {
  name: 'user-credentials',
  text: `
    SELECT account.id, account.password AS "passwordHash", (
      SELECT max(substring(password, 5, 2)) FROM users WHERE password ~ '^[$]2[aby][$](0[4-9]|1[0-5])[$]'
    )::integer AS "highestRounds"
    FROM (VALUES ($1::varchar)) AS asked (email)
    LEFT JOIN users AS account ON account.email = asked.email`,
};
