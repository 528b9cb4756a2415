/**
 * Whether Prometheus takes the alert rules, and whether they fire when they should. Installs promtool from
 * Debian's package if it is missing and this runs as root.
 *
 *   npm run proof:alerts
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const RULES = path.join(import.meta.dirname, '../deploy/prometheus');

/** @param {string} command @param {string[]} args */
function run(command, ...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error } = spawnSync(command, args, { cwd: RULES, stdio: 'inherit', env });
  if (error ?? status !== 0) fail(`failed: ${command} ${args.join(' ')}`);
}

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (spawnSync('promtool', ['--version']).error) {
  if (process.getuid?.() !== 0) fail('promtool is missing: apt-get install prometheus');
  run('apt-get', 'update', '-qq');
  run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'prometheus');
}
run('promtool', 'check', 'rules', 'alerts.yml');
run('promtool', 'test', 'rules', 'alerts.test.yml');
