/**
 * Whether one network can delay or prevent the logins of others: 20 networks log in now and then, alone
 * and beside each kind of flood in turn.
 *
 *   npm run flood -- [--rounds 3] [--seconds 10] [--honest 6] [--logins 45] [--refused 2600]
 */
import bcrypt from 'bcrypt';
import { setTimeout as sleep } from 'node:timers/promises';
import { query } from '../tests/harness/query.js';
import { PASSWORD } from './lib/accounts.mjs';
import { prepareService, signingInAs, startService } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { median } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const NETWORKS = 20;
/** Honest accounts; few enough logins of each to stay within the limit of successful ones. */
const ACCOUNTS = 80;
/** Accounts of the attackers, of which each flood of a round takes its own. */
const OWN_ACCOUNTS = 1_000;
/** The p99 beside a flood is at most this multiple of the p99 without one. */
const LIMIT = 2;
const CONNECTIONS = 100;
/** A network that takes part in no other flood. */
const REFUSED = '198.51.100.255';
/** The flood begins earlier and ends later, in seconds. */
const MARGIN = 1;
const options = optionsOf({ rounds: 3, seconds: 10, honest: 6, logins: 45, refused: 2_600 });

/**
 * @typedef {import('./lib/load.mjs').LoadClient} LoadClient
 * @typedef {import('../tests/harness/query.js').Database} Database
 *
 * @typedef {object} Flood
 * @property {string} title
 * @property {number} perSecond
 * @property {readonly number[]} statuses that the attacker may get
 * @property {(address: string, own: string[]) => LoadClient[]} clients
 * from a network of its own, with accounts of its own
 * @property {(address: string) => Promise<unknown>} [prepare]
 */

/**
 * @typedef {Pick<import('./lib/load.mjs').Measurement, 'failures' | 'p50' | 'p99' | 'max' | 'requests'>} Logins
 * @typedef {object} Flooded
 * @property {string} title
 * @property {Logins} honest
 * @property {{ statuses: Record<string, number>, perSecond: number }} attacker
 */

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * A client behind a trusted proxy.
 * @param {string} address
 * @param {string} email
 * @param {string} [password]
 * @returns {LoadClient}
 */
function from(address, email, password = PASSWORD) {
  const client = signingInAs('/auth/login', email);
  const headers = { ...client.headers, 'x-forwarded-for': address };
  return { ...client, headers, body: JSON.stringify({ email, password }) };
}

const emails = (/** @type {string} */ name, /** @type {number} */ count) =>
  Array.from({ length: count }, (_value, i) => `${name}${i}@example.com`);

const honestAccounts = emails('user', ACCOUNTS);
const victim = honestAccounts[0];

/** @param {LoadClient} client */
const repeated = (client) => Array.from({ length: CONNECTIONS }, () => ({ ...client }));

/**
 * Makes a network fail as often as it may.
 * @param {Database} database
 * @param {string} address
 */
const overLimit = (database, address) =>
  query(database, 'INSERT INTO rate_limits VALUES ($1, 100, $2)', [
    `network:${address}`,
    Date.now() + 900_000,
  ]);

/** @param {Database} database @returns {Flood[]} */
const floodsOn = (database) => [
  {
    title: 'logins to one own account',
    perSecond: options.logins,
    statuses: [200, 429, 503],
    clients: (address, [own]) => repeated(from(address, own)),
  },
  {
    title: 'logins to 100 own accounts',
    perSecond: options.logins,
    statuses: [200, 429, 503],
    clients: (address, own) => own.slice(0, CONNECTIONS).map((email) => from(address, email)),
  },
  {
    title: 'logins to one own account, from the networks of a /48',
    perSecond: options.logins,
    statuses: [200, 429, 503],
    clients: (address, [own]) =>
      Array.from({ length: 1_000 }, (_value, i) =>
        from(`2001:db8:${address.split('.')[3]}:${i.toString(16)}::1`, own),
      ),
  },
  {
    title: "wrong passwords for a user's account",
    perSecond: options.logins,
    statuses: [401, 429, 503],
    clients: (address) => repeated(from(address, victim, 'not the password')),
  },
  {
    title: 'wrong passwords for many accounts',
    perSecond: options.refused,
    statuses: [401, 429, 503],
    clients: (address) =>
      emails('nobody', CONNECTIONS).map((email) => from(address, email, 'not the password')),
  },
  {
    title: 'logins of a network over its limit',
    perSecond: options.refused,
    statuses: [429, 503],
    clients: (address, [own]) => repeated(from(address, own)),
    prepare: (address) => overLimit(database, address),
  },
  {
    title: 'invalid input',
    perSecond: options.refused,
    statuses: [400, 429],
    clients: (address) => repeated(from(address, 'not an e-mail')),
  },
];

await onWorkbench(async (bench) => {
  const database = await prepareService(bench);
  await query(
    database,
    `INSERT INTO users ("firstName", "lastName", email, password)
     SELECT 'Ada', 'Lovelace', email, $1 FROM unnest($2::text[]) AS email`,
    [await bcrypt.hash(PASSWORD, 10), [...honestAccounts, ...emails('own', OWN_ACCOUNTS)]],
  );
  const settings = { RATE_LIMIT_ENABLED: 'true', TRUST_PROXY: 'loopback' };
  const running = await startService(bench, { database, settings });
  const attacker = bench.startGenerator();
  const floods = floodsOn(database);

  const logins = async (seconds = options.seconds) => {
    const { failures, p50, p99, max, requests } = await bench.measure(running, {
      connections: NETWORKS,
      seconds,
      perSecond: options.honest,
      mayFail: true,
      clients: honestAccounts.map((email, i) => from(`203.0.113.${1 + (i % NETWORKS)}`, email)),
    });
    return { failures, p50, p99, max, requests };
  };
  /** @param {Flood} flood @param {number} number */
  const beside = async ({ perSecond, clients, prepare }, number) => {
    const address = `198.51.100.${number}`;
    await prepare?.(address);
    const own = emails('own', OWN_ACCOUNTS).slice(number % (OWN_ACCOUNTS - CONNECTIONS));
    const flooding = bench.measure(
      running,
      {
        connections: CONNECTIONS,
        seconds: options.seconds + 2 * MARGIN,
        perSecond,
        mayFail: true,
        clients: clients(address, own),
      },
      attacker,
    );
    await sleep(MARGIN * 1000);
    const honest = await logins();
    const { failures, requests, seconds } = await flooding;
    const refused = Object.values(failures).reduce((sum, count) => sum + count, 0);
    const statuses = { ...failures, ...(requests > refused && { 200: requests - refused }) };
    return { honest, attacker: { statuses, perSecond: requests / seconds } };
  };

  // Every honest account becomes familiar with its network.
  await logins(Math.ceil(ACCOUNTS / options.honest));
  /** @type {{ quiet: Logins, flooded: Flooded[] }[]} */
  const rounds = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const quiet = await logins();
    say(`round ${round + 1}: p99 ${quiet.p99.toFixed(0)} ms without a flood`);
    const flooded = [];
    for (const [i, flood] of floods.entries()) {
      const result = await beside(flood, 1 + round * floods.length + i);
      flooded.push({ title: flood.title, ...result });
      const { honest, attacker } = result;
      say(
        `  ${honest.p99.toFixed(0)} ms beside ${flood.title}: ${attacker.perSecond.toFixed(0)}/s, ` +
          JSON.stringify(attacker.statuses),
      );
    }
    rounds.push({ quiet, flooded });
  }

  await overLimit(database, REFUSED);
  const { cpuMicros } = await bench.measure(running, {
    connections: 20,
    seconds: options.seconds,
    mayFail: true,
    clients: repeated(from(REFUSED, victim)),
  });

  const failed = rounds.flatMap(({ quiet, flooded }) =>
    [quiet, ...flooded.map(({ honest }) => honest)].flatMap(({ failures }) =>
      Object.values(failures),
    ),
  );
  const unexpected = rounds.flatMap(({ flooded }) =>
    flooded.flatMap(({ attacker }, i) =>
      Object.keys(attacker.statuses).filter(
        (status) => !floods[i].statuses.includes(Number(status)),
      ),
    ),
  );
  return conclude(bench, 'flood', { options, rounds }, [
    { text: 'p99 without a flood, ms', value: median(rounds.map(({ quiet }) => quiet.p99)) },
    {
      text: 'logins of other networks that failed',
      atMost: 0,
      value: failed.reduce((sum, count) => sum + count, 0),
    },
    { text: 'floods that got an unexpected status', atMost: 0, value: unexpected.length },
    ...floods.map(({ title }, i) => ({
      text: `p99 ÷ p99 without a flood: ${title}`,
      atMost: LIMIT,
      value: median(rounds.map(({ quiet, flooded }) => flooded[i].honest.p99 / quiet.p99)),
    })),
    { text: 'CPU of a refused login, µs', value: cpuMicros },
  ]);
});
