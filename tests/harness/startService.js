const fs = require('node:fs');
const path = require('node:path');
const { freePort } = require('./freePort');
const { Program } = require('./Program');
const { ROOT } = require('./root');

/**
 * Starts the built service on a free port, or on the one in `env`.
 *
 * @param {object} options
 * @param {NodeJS.ProcessEnv} options.env as of serviceEnvironment()
 * @param {string} [options.dist] the folder of the build
 * @param {string[]} [options.nodeOptions]
 * @param {string} [options.logFile]
 */
async function startService({ env, dist = path.join(ROOT, 'dist'), nodeOptions = [], logFile }) {
  const server = path.join(dist, 'server.js');
  if (!fs.existsSync(server)) throw new Error(`there is no build in ${dist}: run "npm run build"`);
  const port = Number(env.PORT ?? (await freePort()));
  const program = new Program(process.execPath, [...nodeOptions, server], {
    env: { ...env, PORT: String(port) },
    ...(logFile !== undefined && { logFile }),
  });
  return { program, port, origin: `http://127.0.0.1:${port}` };
}

module.exports = { startService };
