/**
 * Whether Prometheus takes the alert rules and the queries of the dashboard, and whether the alerts fire
 * when they should. Installs promtool from
 * Debian's package if it is missing and this runs as root.
 *
 *   npm run proof:alerts
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { tempFolder } from '../tests/harness/tempFolder.js';

const DEPLOY = path.join(import.meta.dirname, '../deploy');
const RULES = path.join(DEPLOY, 'prometheus');

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
run('promtool', 'check', 'rules', 'alerts.yml', dashboardRules());
run('promtool', 'test', 'rules', 'alerts.test.yml');

/** The queries of the dashboard as rules, which is the form that promtool checks. */
function dashboardRules() {
  const { panels } = JSON.parse(
    fs.readFileSync(path.join(DEPLOY, 'grafana/auth-service.json'), 'utf8'),
  );
  const queries = panels.flatMap(
    (/** @type {{ targets?: { expr: string }[] }} */ { targets = [] }) =>
      targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')),
  );
  const rules = queries.map((/** @type {string} */ expr, /** @type {number} */ index) => ({
    record: `query:${index}`,
    expr,
  }));
  const file = path.join(tempFolder('dashboard'), 'dashboard.yml');
  fs.writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  return file;
}
