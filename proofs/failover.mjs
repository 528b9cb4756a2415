/**
 * What clients notice, and what is lost, when PostgreSQL fails over: three nodes under Patroni with
 * synchronous replication, HAProxy in front, two replicas of the service under load. Needs
 * `npm run build`. Exit code 1 if a promise is broken.
 *
 *   npm run proof:failover              as in deploy/patroni/patroni.yml
 *   npm run proof:failover -- --strict  with synchronous_mode_strict
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { certsDir } from '../tests/harness/certsDir.js';
import { migrate } from '../tests/harness/migrate.js';
import { serviceEnvironment } from '../tests/harness/serviceEnvironment.js';
import { startService } from '../tests/harness/startService.js';
import { until } from '../tests/harness/until.js';
import { PatroniCluster } from './cluster/PatroniCluster.mjs';
import { requirePrograms } from './cluster/requirePrograms.mjs';
import { Load } from './load/Load.mjs';
import { printTable } from './printTable.mjs';

const isStrict = process.argv.includes('--strict');

/**
 * In milliseconds: how soon the service writes again once there is a new primary. In strict mode a standby
 * has to follow that first.
 */
const RECOVERY_LIMIT = isStrict ? 10_000 : 2_000;

/** In milliseconds: load before a fault and after it, and how long etcd is away. */
const CALM = 3_000;
const ETCD_AWAY = 10_000;

requirePrograms({
  '/usr/lib/postgresql/*/bin/pg_rewind': 'postgresql',
  patroni: 'patroni',
  etcd: 'etcd-server',
  haproxy: 'haproxy',
});

/** @param {string} line */
const print = (line) => process.stdout.write(`${line}\n`);

/** @param {number} milliseconds */
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

const cluster = await PatroniCluster.start();
if (isStrict) await cluster.configure({ synchronous_mode_strict: true });
const env = serviceEnvironment(await cluster.createDatabase(), { CERTS_DIR: certsDir() });
migrate(env);
const replicas = await Promise.all([startService({ env }), startService({ env })]);
for (const { program, origin } of replicas) await program.responds(`${origin}/health/ready`, 200);
const load = new Load(replicas.map(({ origin }) => origin));

/**
 * @typedef {import('./cluster/PatroniNode.mjs').PatroniNode} PatroniNode
 * @typedef {object} Scenario
 * @property {string} name
 * @property {(primary: PatroniNode) => void | Promise<void>} strike
 * @property {(primary: PatroniNode) => void | Promise<void>} [mend] what happens after the recovery
 * @property {'another' | 'any' | 'none'} elects which node becomes the primary
 */

/** @type {Scenario[]} */
const SCENARIOS = [
  {
    name: 'kill -9 of the primary and its Patroni',
    strike: (primary) => primary.kill(),
    mend: (primary) => primary.start(),
    elects: 'another',
  },
  {
    name: 'kill -9 of PostgreSQL alone',
    strike: (primary) => primary.killPostgres(),
    elects: 'any',
  },
  {
    name: 'primary frozen, and thawed after the election',
    strike: (primary) => primary.freeze(),
    mend: (primary) => primary.thaw(),
    elects: 'another',
  },
  {
    name: 'patronictl switchover',
    strike: () => cluster.switchover(),
    elects: 'another',
  },
  {
    name: `etcd away for ${ETCD_AWAY / 1000} s`,
    strike: async () => {
      await cluster.etcd.stop();
      await sleep(ETCD_AWAY);
      await cluster.etcd.restart();
    },
    elects: 'none',
  },
];

/** @type {string[]} */
const broken = [];

/** @param {Scenario} scenario */
async function play({ name, strike, mend, elects }) {
  await cluster.settled();
  const primary = await cluster.primary();
  load.start();
  await sleep(CALM);

  const struckAt = performance.now();
  const struck = strike(primary);
  let electedAt = struckAt;
  if (elects !== 'none') {
    await cluster.primary(elects === 'another' ? primary : undefined);
    electedAt = performance.now();
  }
  await struck;
  await until(() => load.writesAgain(electedAt), `writes after: ${name}`, 30_000);
  const recovery = (load.writesAgain(electedAt) ?? Infinity) - electedAt;
  await mend?.(primary);
  await sleep(CALM);
  await load.stop();

  await cluster.settled();
  const lost = await load.losses();
  const { tally } = load;
  const complaints = [
    ...tally.complaints,
    ...lost.map((what) => `${what} is lost`),
    ...(recovery > RECOVERY_LIMIT ? [`writes again after ${seconds(recovery)}`] : []),
    ...replicas.filter(({ program }) => !program.isUp).map(() => 'a replica has ended'),
  ];
  broken.push(...complaints.map((complaint) => `${name}: ${complaint}`));
  return [
    ...[name, tally.requests, tally.succeeded, tally.unavailable, tally.others],
    seconds(tally.slowest),
    ...(elects === 'none' ? ['-', '-'] : [seconds(electedAt - struckAt), seconds(recovery)]),
    lost.length,
  ];
}

const rows = [];
for (const scenario of SCENARIOS) rows.push(await play(scenario));
printTable(
  [
    ...['scenario', 'requests', '2xx', '503', 'other', 'slowest'],
    ...['new primary after', 'writes again after', 'lost'],
  ],
  rows,
);
for (const line of broken) print(`BROKEN  ${line}`);
// The programs end with this process.
process.exit(broken.length === 0 ? 0 : 1);
