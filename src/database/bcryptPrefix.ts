/**
 * How a bcrypt hash of 4 to 15 rounds begins, for JavaScript and for PostgreSQL. The index
 * `users_hash_rounds_idx` has the same pattern: with another one its statement would scan the table.
 */
export const BCRYPT_PREFIX = '^[$]2[aby][$](0[4-9]|1[0-5])[$]';
