import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PROJECT_ROOT } from '../scripts/folders.mjs';
import { ScriptError } from '../scripts/ScriptError.mjs';

/**
 * Installs a package of this repository, and builds it, if that has not been done.
 *
 * @param {string} folder
 * @param {string} [result] a file of its build
 * @throws {ScriptError}
 */
export function prepareExample(folder, result) {
  const isThere = (/** @type {string} */ name) =>
    fs.existsSync(path.join(PROJECT_ROOT, folder, name));
  if (!isThere('node_modules')) npm(folder, ['ci', '--no-audit', '--no-fund']);
  if (result !== undefined && !isThere(result)) npm(folder, ['run', 'build']);
}

/**
 * @param {string} folder
 * @param {string[]} args
 */
function npm(folder, args) {
  const { status } = spawnSync('npm', args, {
    cwd: path.join(PROJECT_ROOT, folder),
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new ScriptError(`npm ${args.join(' ')} failed in ${folder}`);
}
