/**
 * The settings that name a database to the service.
 *
 * @param {import('./query').Database & { pooler?: string }} database
 */
function databaseSettings({ host, port, username, password, name, pooler }) {
  return {
    DB_HOST: host,
    DB_PORT: String(port),
    DB_USERNAME: username,
    DB_PASSWORD: password,
    DB_NAME: name,
    DB_POOLER: pooler,
  };
}

module.exports = { databaseSettings };
