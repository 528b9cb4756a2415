const path = require('node:path');
const { ROOT } = require('./root');
const { runNode } = require('./runNode');

/**
 * Runs the migrations of the built service, or another action of the command.
 *
 * @param {NodeJS.ProcessEnv} env as of serviceEnvironment()
 * @param {string} [dist] the folder of the build
 * @param {string[]} [args]
 * @returns {string} what it printed
 */
function migrate(env, dist = path.join(ROOT, 'dist'), args = []) {
  const command = path.join(dist, 'commands/migrate.js');
  const { code, stdout, stderr } = runNode([command, ...args], env);
  if (code !== 0) throw new Error(`the migrations failed:\n${stdout}${stderr}`);
  return stdout;
}

module.exports = { migrate };
