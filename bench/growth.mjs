/**
 * Whether the service slows down as its tables fill: the same requests on a small and on a large
 * database, in alternation, with sessions and accounts from all parts of the tables. With `--partitioned`
 * also on a copy of the large one whose sessions are in partitions.
 *
 *   npm run growth -- [--rows 10000000] [--users 1000000] [--rounds 5] [--seconds 5]
 *                     [--partitioned] [--partitions 8]
 */
import pg from 'pg';
import { explainExecuted } from '../tests/harness/explainExecuted.js';
import { migrate } from '../tests/harness/migrate.js';
import { BROWSER_HEADERS } from './lib/accounts.mjs';
import { builtStatements } from './lib/builtStatements.mjs';
import { environmentOf, prepareService, signingInAs, startService } from './lib/contestants.mjs';
import { fill, someSessions } from './lib/fill.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { signer } from './lib/signer.mjs';
import { median, pairedRatio } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const LIMIT = 1.25;
const SMALL = { rows: 1_000, users: 1_000 };
/** Sessions chosen at random; the small table has no more. */
const SESSIONS = 1_000;
/** Runs of each statement of which the median counts. */
const RUNS = 20;
const WORKS = {
  self: { connections: 20 },
  refresh: { connections: 20 },
  login: { connections: 8 },
};
const options = optionsOf({
  ...{ rows: 10_000_000, users: 1_000_000, rounds: 5, seconds: 5 },
  ...{ partitioned: false, partitions: 8 },
});

/**
 * @typedef {Awaited<ReturnType<typeof prepare>>} Side
 * @typedef {import('./lib/report.mjs').Figures} Figures
 * @typedef {import('../tests/harness/query.js').Database} Database
 * @typedef {import('./lib/fill.mjs').Session} Session
 */

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * @template T
 * @param {Database} database
 * @param {(client: pg.Client) => Promise<T>} work
 */
async function connected({ username: user, name, ...server }, work) {
  const client = new pg.Client({ ...server, user, database: name });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * A migrated database with tables of this size.
 * @param {import('./lib/workbench.mjs').Workbench} bench
 * @param {{ rows: number, users: number }} size
 */
async function filled(bench, size) {
  const database = await prepareService(bench);
  say(`filling ${size.users} users and ${size.rows} sessions`);
  const startedAt = Date.now();
  await connected(database, (client) => fill(client, size));
  say(`filled after ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return database;
}

/**
 * A copy of a filled database, whose sessions are in partitions, and what moving them took.
 * @param {import('./lib/workbench.mjs').Workbench} bench
 * @param {Database} database
 */
async function partitioned(bench, database) {
  const copy = await bench.copyDatabase(database);
  const written = () =>
    connected(copy, async (client) => {
      const { rows } = await client.query(
        `SELECT (pg_current_wal_insert_lsn() - '0/0')::float / 1048576 AS mebibytes`,
      );
      return rows[0].mebibytes;
    });
  const before = await written();
  const startedAt = Date.now();
  const args = ['partition', '--partitions', String(options.partitions)];
  say(migrate(environmentOf(bench, copy), undefined, args).trim());
  const moved = {
    seconds: (Date.now() - startedAt) / 1000,
    walMebibytes: (await written()) - before,
  };
  say(JSON.stringify(moved));
  await connected(copy, async (client) => {
    await client.query('VACUUM refresh_tokens');
    await client.query('CHECKPOINT');
  });
  return { database: copy, moved };
}

/** Statements of the built service, with the values of a session. */
function statementsOf(/** @type {Session} */ { id, userId, sessionId }) {
  const { CLOSE, ROTATE, SETTLE, TRIM } = builtStatements('session');
  const { FIND_BY_SESSIONS } = builtStatements('user');
  const { PURGE } = builtStatements('purge');
  const lifetimes = [10, 2_592_000, 7_776_000];
  return [
    { statement: FIND_BY_SESSIONS, values: [[sessionId], [userId]] },
    {
      statement: ROTATE,
      values: [[sessionId], [id], [userId], ...lifetimes, ['agent'], ['192.0.2.1']],
    },
    { statement: SETTLE, values: [sessionId, id, userId, ...lifetimes, 'agent', '192.0.2.1'] },
    { statement: CLOSE, values: [sessionId, userId] },
    { statement: TRIM, values: [userId, 100] },
    { statement: PURGE, values: [1_000] },
  ];
}

/**
 * How the statements ran: where each read the sessions, and the median of its milliseconds.
 * @param {pg.Client} client
 * @param {readonly Session[]} sessions
 */
async function plansOf(client, sessions) {
  const run = async (/** @type {string} */ sql) => (await client.query(sql)).rows;
  /** @type {Record<string, { scans: string[], tables: number, milliseconds: number }>} */
  const plans = {};
  for (const [number, { statement }] of statementsOf(sessions[0]).entries()) {
    const runs = [];
    for (const session of sessions.slice(0, RUNS))
      runs.push(await explainExecuted(run, statement.text, statementsOf(session)[number].values));
    const scans = runs[0].nodes.filter((node) => node['Relation Name']?.startsWith('refresh_tok'));
    plans[statement.name] = {
      scans: [...new Set(scans.map((node) => node['Node Type']))],
      tables: new Set(scans.map((node) => node['Relation Name'])).size,
      milliseconds: median(runs.map(({ milliseconds }) => milliseconds)),
    };
  }
  return plans;
}

/**
 * A service on a filled database, and the clients of each work.
 * @param {import('./lib/workbench.mjs').Workbench} bench
 * @param {Database} database
 */
async function prepare(bench, database) {
  const { sessions, tables, plans } = await connected(database, async (client) => {
    const sessions = await someSessions(client, SESSIONS);
    const { rows: sizes } = await client.query(
      `SELECT coalesce(inhparent, oid)::regclass::text AS name,
              (sum(pg_total_relation_size(oid)) / 1048576)::float AS mebibytes
       FROM pg_class LEFT JOIN pg_inherits ON inhrelid = oid
       WHERE relkind = 'r' AND relname ~ '^(users|refresh_tokens)' GROUP BY 1`,
    );
    return {
      sessions,
      tables: Object.fromEntries(sizes.map(({ name, mebibytes }) => [name, mebibytes])),
      plans: await plansOf(client, sessions),
    };
  });
  say(JSON.stringify({ tables, plans }));

  const cookiesOf = signer(bench);
  const signedIn = sessions.map((session) => ({
    headers: BROWSER_HEADERS,
    cookies: cookiesOf(session),
  }));
  return {
    running: await startService(bench, {
      database,
      // The expired sessions stay for the whole run.
      settings: { SESSION_PURGE_INTERVAL_SECONDS: '0' },
    }),
    tables,
    plans,
    /** @type {Record<keyof typeof WORKS, import('./lib/load.mjs').LoadClient[]>} */
    clients: {
      self: signedIn.map((client) => ({ ...client, method: 'GET', path: '/auth/self' })),
      refresh: signedIn.map((client) => ({ ...client, method: 'POST', path: '/auth/refresh' })),
      login: sessions.map(({ userId }) => signingInAs('/auth/login', `user${userId}@example.com`)),
    },
  };
}

await onWorkbench(async (bench) => {
  await bench.useLargeLog();
  const largeDatabase = await filled(bench, options);
  const copy = options.partitioned ? await partitioned(bench, largeDatabase) : undefined;
  /** @type {Record<string, Side>} */
  const sides = {
    small: await prepare(bench, await filled(bench, SMALL)),
    large: await prepare(bench, largeDatabase),
    ...(copy && { partitioned: await prepare(bench, copy.database) }),
  };
  const names = Object.keys(sides);
  /** @type {Record<string, object>} */
  const works = {};
  const targets = [];
  for (const work of /** @type {(keyof typeof WORKS)[]} */ (Object.keys(WORKS))) {
    const { connections } = WORKS[work];
    /**
     * @param {Side} side
     * @param {number} seconds
     * @returns {Promise<Figures>}
     */
    const measure = async (side, seconds) => {
      const job = { connections, seconds, clients: side.clients[work] };
      const { clients, ...measured } = await bench.measure(side.running, job);
      side.clients[work] = clients;
      return measured;
    };
    for (const name of names) await measure(sides[name], 3);
    /** @type {Record<string, Figures[]>} */
    const rounds = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < options.rounds; round += 1)
      for (const name of names) rounds[name].push(await measure(sides[name], options.seconds));
    const p50 = (/** @type {string} */ side) => rounds[side].map((round) => round.p50);
    const ratio = pairedRatio(p50('large'), p50('small'));
    targets.push(
      { text: `${work}, p50 on the small database, ms`, value: median(p50('small')) },
      { text: `${work}, large ÷ small`, atMost: LIMIT, value: ratio.median },
    );
    works[work] = { rounds, ratio };
    if (!copy) continue;
    const partitions = pairedRatio(p50('partitioned'), p50('large'));
    works[work] = { rounds, ratio, partitions };
    targets.push({ text: `${work}, partitioned ÷ large`, value: partitions.median });
  }
  await Promise.all(Object.values(sides).map(({ running }) => running.program.stop()));
  const { large } = sides;
  const result = {
    options,
    tables: large.tables,
    plans: large.plans,
    ...(copy && {
      partitioned: {
        moved: copy.moved,
        tables: sides.partitioned.tables,
        plans: sides.partitioned.plans,
      },
    }),
    ...works,
  };
  return conclude(bench, 'growth', result, targets);
});
