/**
 * Runs the specs of sessions and outages through PgBouncer in transaction mode, with each version of
 * it and all else by default: Debian 12's, which knows no named statements, and Debian 13's.
 *
 *   npm run proof:poolers
 *
 * As root it installs what is missing with apt-get.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const SPECS = ['tests/auth', 'tests/sessions', 'tests/faults/outage.spec.ts'];

/**
 * The plans of statements, which no pooler changes; specs that take minutes; and the renewal of the
 * service's own connections: a pooler has others, which end when a primary is demoted.
 */
const LEFT_OUT = [
  '--testPathIgnorePatterns=/(plans|model|secretRotation)\\.spec',
  '--testNamePattern=^(?!.*only reads)',
];

const NEWER_SUITE = 'trixie';
const NEWER_PACKAGES = [
  ...['pgbouncer', 'libc6', 'libevent-2.1-7t64', 'libcares2', 'libssl3t64', 'libzstd1'],
  ...['libpam0g', 'libaudit1', 'libcap-ng0', 'libsystemd0', 'libcap2'],
];

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function run(command, args, options) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw new Error(`${command} ${args[0]} has failed`);
}

/** The system's own PgBouncer. */
function installed() {
  const program = '/usr/sbin/pgbouncer';
  if (!fs.existsSync(program)) {
    run('apt-get', ['update']);
    run('apt-get', ['install', '--yes', '--no-install-recommends', 'pgbouncer']);
  }
  return program;
}

/**
 * The PgBouncer of the next Debian, in a folder with the libraries that it needs; nothing is installed.
 *
 * @param {string} folder
 */
function unpackedNewer(folder) {
  const sources = path.join(folder, 'newer.sources');
  const root = path.join(folder, 'root');
  for (const name of ['lists/partial', 'cache/archives/partial', 'debs', 'root'])
    fs.mkdirSync(path.join(folder, name), { recursive: true });
  fs.writeFileSync(
    sources,
    `Types: deb
URIs: http://deb.debian.org/debian
Suites: ${NEWER_SUITE}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
  );
  const apt = Object.entries({
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': path.join(folder, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': path.join(folder, 'cache'),
    'APT::Sandbox::User': 'root',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const debs = path.join(folder, 'debs');
  run('apt-get', [...apt, '--quiet', 'update']);
  run('apt-get', [...apt, '--quiet', 'download', ...NEWER_PACKAGES], { cwd: debs });
  for (const deb of fs.readdirSync(debs)) run('dpkg', ['-x', path.join(debs, deb), root]);

  const lib = path.join(root, 'usr/lib');
  const libraries = path.join(lib, found(lib, /-linux-gnu$/));
  const loader = found(libraries, /^ld-linux/);
  const program = path.join(folder, 'pgbouncer');
  fs.writeFileSync(
    program,
    `#!/bin/sh
exec "${libraries}/${loader}" --library-path "${libraries}" "${root}/usr/sbin/pgbouncer" "$@"
`,
    { mode: 0o755 },
  );
  // PgBouncer leaves the rights of root.
  fs.chmodSync(folder, 0o755);
  return program;
}

/**
 * @param {string} folder
 * @param {RegExp} name
 */
function found(folder, name) {
  const entry = fs.readdirSync(folder).find((one) => name.test(one));
  if (entry === undefined) throw new Error(`no ${name.source} in ${folder}`);
  return entry;
}

/** @param {string} program */
function versionOf(program) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return stdout.split('\n', 1).join('');
}

/**
 * @param {string} program
 * @returns {{ version: string, passed: number, failed: number, seconds: number }}
 */
function prove(program) {
  const version = versionOf(program);
  const began = Date.now();
  process.stdout.write(`\n== ${version}\n`);
  const report = path.join(scratch, 'report.json');
  const args = ['--watchAll=false', '--coverage=false', '--forceExit', '--testTimeout=90000'];
  args.push('--json', `--outputFile=${report}`, ...LEFT_OUT, ...SPECS);
  spawnSync(process.execPath, [path.join(ROOT, 'node_modules/jest/bin/jest.js'), ...args], {
    cwd: ROOT,
    env: { ...process.env, TEST_POOLER: program },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
    fs.readFileSync(report, 'utf8'),
  );
  fs.rmSync(report);
  return {
    version,
    passed: numPassedTests,
    failed: numFailedTests + numRuntimeErrorTestSuites,
    seconds: Math.round((Date.now() - began) / 1_000),
  };
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'poolers-'));
try {
  const outcomes = [installed(), unpackedNewer(scratch)].map(prove);
  process.stdout.write('\n');
  for (const { version, passed, failed, seconds } of outcomes)
    process.stdout.write(`${version}: ${passed} passed, ${failed} failed, ${seconds} s\n`);
  if (outcomes.some(({ passed, failed }) => passed === 0 || failed > 0)) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
