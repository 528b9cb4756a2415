import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../tests/harness/root.js';
import { tempFolder } from '../../tests/harness/tempFolder.js';

/**
 * The files of the previous release, whose tag or commit is in proofs/release/previous, in a folder of
 * their own with what `npm ci` installs.
 *
 * @returns {{ name: string, folder: string }}
 * @throws {Error} when there is no such release here and at the origin
 */
export function checkOutPrevious() {
  const name = fs.readFileSync(path.join(import.meta.dirname, 'previous'), 'utf8').trim();
  const isHere = git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  // A clone of CI is shallow.
  if (!isHere) git('fetch', '--depth=1', 'origin', name);
  const archive = path.join(tempFolder('previous'), 'release.tar');
  if (!git('archive', '--output', archive, isHere ? name : 'FETCH_HEAD'))
    throw new Error(`git has no release ${name}: fetch it, or correct proofs/release/previous`);
  const folder = path.join(path.dirname(archive), 'release');
  fs.mkdirSync(folder);
  run('tar', ['-xf', archive, '-C', folder]);
  const lock = (/** @type {string} */ root) =>
    fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  if (lock(folder) === lock(ROOT))
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  else run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  return { name, folder };
}

/** @param {string[]} args */
function git(...args) {
  return spawnSync('git', args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} [cwd]
 */
function run(command, args, cwd = ROOT) {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed in ${cwd}`);
}
