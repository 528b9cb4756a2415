/**
 * The settings that name a database to the service.
 *
 * @param {import('./query').Database} database
 */
function databaseSettings({ host, port, username, password, name }) {
  return {
    DB_HOST: host,
    DB_PORT: String(port),
    DB_USERNAME: username,
    DB_PASSWORD: password,
    DB_NAME: name,
  };
}

module.exports = { databaseSettings };
