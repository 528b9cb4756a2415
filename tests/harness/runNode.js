const { spawnSync } = require('node:child_process');
const { childEnvironment } = require('./childEnvironment');
const { ROOT } = require('./root');

/**
 * Runs a Node program to its end, in the root folder of the project.
 *
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [variables]
 * @param {string} [input]
 * @returns {{ code: number | null, stdout: string, stderr: string }} null: a signal ended it
 */
function runNode(args, variables = {}, input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env: childEnvironment(variables),
    encoding: 'utf8',
    input,
  });
  return { code: status, stdout, stderr };
}

module.exports = { runNode };
