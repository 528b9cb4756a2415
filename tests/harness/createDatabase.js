const { randomUUID } = require('node:crypto');
const { query } = require('./query');

/**
 * Creates a database with a new name.
 *
 * @template {import('./query').Database} Server
 * @param {Server} server
 * @param {string} [template] to copy
 * @returns {Promise<Server & { name: string }>}
 */
async function createDatabase(server, template = 'template1') {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await query(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return { ...server, name };
}

module.exports = { createDatabase };
