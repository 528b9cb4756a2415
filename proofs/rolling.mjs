/**
 * Two replicas of the previous release behind a proxy are replaced by this version under load, while the
 * schema is migrated and the signing key changes. No request may fail. Needs `npm run build`. Exit code 1
 * if one does.
 *
 *   npm run proof:rolling
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { certsDir } from '../tests/harness/certsDir.js';
import { createDatabase } from '../tests/harness/createDatabase.js';
import { freePort } from '../tests/harness/freePort.js';
import { migrate } from '../tests/harness/migrate.js';
import { Program } from '../tests/harness/Program.js';
import { ROOT } from '../tests/harness/root.js';
import { serviceEnvironment } from '../tests/harness/serviceEnvironment.js';
import { startPostgres } from '../tests/harness/startPostgres.js';
import { startService } from '../tests/harness/startService.js';
import { requirePrograms } from './cluster/requirePrograms.mjs';
import { startHaproxy } from './cluster/startHaproxy.mjs';
import { startNginx } from './cluster/startNginx.mjs';
import { Load } from './load/Load.mjs';
import { printTable } from './printTable.mjs';
import { checkOutPrevious } from './release/checkOutPrevious.mjs';

/** In milliseconds: until a proxy has noticed a replica, and until all replicas know a new key. */
const NOTICE = 3_000;
const KEY_PICK_UP = 11_000;

requirePrograms({ haproxy: 'haproxy', nginx: 'nginx' });

/** @typedef {{ name: string, start: (ports: number[]) => Promise<{ port: number }> }} Proxy */

/** @type {Proxy[]} */
const PROXIES = [
  {
    name: 'HAProxy',
    start: async ([one, two]) => {
      const replicas = { REPLICA1: `127.0.0.1:${one}`, REPLICA2: `127.0.0.1:${two}` };
      return startHaproxy('auth-service.cfg', 'AUTH_BIND', replicas);
    },
  },
  { name: 'nginx', start: startNginx },
];

const previous = checkOutPrevious();
const tsc = path.join(previous.folder, 'node_modules/typescript/bin/tsc');
await run([tsc, '-p', 'tsconfig.build.json'], { cwd: previous.folder });
const postgres = await startPostgres({ fsync: false });

/** @type {string[]} */
const broken = [];

/**
 * Runs a Node program beside the load.
 *
 * @param {string[]} args
 * @param {ConstructorParameters<typeof Program>[2]} options
 */
async function run(args, options) {
  const program = new Program(process.execPath, args, options);
  if ((await program.exited) !== 0) throw new Error(`${args.join(' ')}:\n${program.output}`);
}

/** @param {Proxy} proxy */
async function roll({ name, start }) {
  const database = await createDatabase(postgres);
  const env = serviceEnvironment(database, { CERTS_DIR: certsDir(), TRUST_PROXY: '1' });
  const dist = path.join(previous.folder, 'dist');
  migrate(env, dist);
  const ports = [await freePort(), await freePort()];
  /** @param {number | undefined} port @param {string} [build] */
  const startReplica = async (port, build) => {
    const replica = await startService({
      env: { ...env, PORT: String(port) },
      ...(build !== undefined && { dist: build }),
    });
    await replica.program.responds(`${replica.origin}/health/ready`, 200);
    return replica;
  };
  const replicas = await Promise.all(ports.map((port) => startReplica(port, dist)));
  const proxy = await start(ports);
  const load = new Load([`http://127.0.0.1:${proxy.port}`]);

  /** @type {(string | number)[][]} */
  const rows = [];
  /** @param {string} step @param {() => Promise<unknown>} work */
  const during = async (step, work) => {
    load.beginTally();
    await work();
    const { requests, succeeded, unavailable, others, slowest, complaints } = load.tally;
    rows.push([name, step, requests, succeeded, unavailable + others, Math.round(slowest)]);
    if (unavailable > 0) broken.push(`${name}, ${step}: ${unavailable} × 503`);
    broken.push(...complaints.map((complaint) => `${name}, ${step}: ${complaint}`));
  };
  /** @param {string[]} args of a command of this version */
  const command = (...args) =>
    run([path.join(ROOT, 'dist/commands', String(args[0])), ...args.slice(1)], { env });
  /** @param {number} i */
  const replace = async (i) => {
    const old = replicas[i];
    const stopped = old?.program.stop();
    await old?.program.responds(`${old.origin}/health/ready`, 503);
    if ((await stopped) !== 0) broken.push(`${name}: replica ${i + 1} did not end by itself`);
    await startReplica(ports[i]);
    await sleep(NOTICE);
  };

  load.start();
  await during('previous release', () => sleep(NOTICE));
  await during('migrations', () => command('migrate.js', 'run'));
  await during('next key published', async () => {
    await command('keys.js', 'publish');
    await sleep(KEY_PICK_UP);
  });
  await during('replica 1 replaced', () => replace(0));
  await during('next key signs', async () => {
    await command('keys.js', 'activate', '--force');
    await sleep(KEY_PICK_UP);
  });
  await during('replica 2 replaced', () => replace(1));
  await during('this version', async () => {
    await sleep(NOTICE);
    await load.stop();
  });
  broken.push(...(await load.losses()).map((what) => `${name}: ${what} is lost`));
  return rows;
}

const rows = [];
for (const proxy of PROXIES) rows.push(...(await roll(proxy)));
printTable(['proxy', 'step', 'requests', '2xx', 'failed', 'slowest (ms)'], rows);
for (const line of broken) process.stdout.write(`BROKEN  ${line}\n`);
// The programs end with this process.
process.exit(broken.length === 0 ? 0 : 1);
