const { databaseSettings } = require('./databaseSettings');

/**
 * The environment of the service in prod mode.
 *
 * @param {import('./query').Database} database
 * @param {Record<string, string | undefined>} [overrides] variables
 * @returns {Record<string, string | undefined>}
 */
function serviceEnvironment(database, overrides = {}) {
  return {
    NODE_ENV: 'prod',
    ...databaseSettings(database),
    REFRESH_JWT_SECRET: 'a refresh secret for tests, long enough',
    CLIENT_UI_DOMAIN: 'http://localhost:5173',
    JWT_ISSUER: 'http://auth.test',
    ...overrides,
  };
}

module.exports = { serviceEnvironment };
