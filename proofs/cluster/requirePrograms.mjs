import { spawnSync } from 'node:child_process';

/** @param {string} program */
const isThere = (program) => spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status === 0;

/**
 * Makes sure that these programs are installed, as root by apt-get.
 *
 * @param {Record<string, string>} packages Debian's package of each program, a name or a pattern of paths
 * @throws {Error} naming the packages that are missing, if they cannot be installed
 */
export function requirePrograms(packages) {
  const missing = Object.entries(packages)
    .filter(([program]) => !isThere(program))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive'];
  const [command = 'apt-get', ...args] = [...sudo, 'apt-get', ...install];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (!Object.keys(packages).every(isThere))
    throw new Error(`install these packages first: apt-get ${install.join(' ')}`);
}
