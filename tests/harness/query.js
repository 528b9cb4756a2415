const { Client } = require('pg');

/**
 * A database and a role.
 *
 * @typedef {object} Database
 * @property {string} host
 * @property {number} port
 * @property {string} username
 * @property {string} password
 * @property {string} [name] default: the maintenance database
 */

/**
 * Runs a statement on a new connection.
 *
 * @param {Database} database
 * @param {string} sql
 * @param {unknown[]} [values]
 * @returns {Promise<Record<string, unknown>[]>} the rows
 */
async function query({ host, port, username, password, name = 'postgres' }, sql, values) {
  const client = new Client({ host, port, user: username, password, database: name });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

module.exports = { query };
