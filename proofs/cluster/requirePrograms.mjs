import { spawnSync } from 'node:child_process';

/** @param {string} program */
const isThere = (program) => spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status === 0;

/** @param {string[]} args */
function aptGet(args) {
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive'];
  const [command = '', ...rest] = [...sudo, 'apt-get', ...args];
  spawnSync(command, rest, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/**
 * Makes sure that these programs are installed, by apt-get as root or with sudo.
 *
 * @param {Record<string, string>} packages Debian's package of each program; a program is a name or a pattern of paths
 * @throws {Error} naming the packages that are missing, if they cannot be installed
 */
export function requirePrograms(packages) {
  const missing = Object.entries(packages)
    .filter(([program]) => !isThere(program))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  for (const args of [['update'], install]) aptGet(args);
  if (!Object.keys(packages).every(isThere))
    throw new Error(`install these packages first: apt-get ${install.join(' ')}`);
}
