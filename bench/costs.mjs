/**
 * What each operation costs: CPU time of the service and of PostgreSQL, what it writes to the log of
 * PostgreSQL, and the size of what is stored. docs/scaling.md calculates with the result.
 *
 *   npm run costs -- [--users 100000] [--rows 200000] [--rounds 3] [--seconds 5]
 */
import pg from 'pg';
import { BROWSER_HEADERS, JSON_HEADERS, PASSWORD } from './lib/accounts.mjs';
import { builtStatements } from './lib/builtStatements.mjs';
import { prepareService, signingInAs, startService } from './lib/contestants.mjs';
import { fill, someSessions } from './lib/fill.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude, markdownTable } from './lib/report.mjs';
import { signer } from './lib/signer.mjs';
import { median } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const options = optionsOf({ users: 100_000, rows: 200_000, rounds: 3, seconds: 5 });

/** Of each round and operation. */
const CLIENTS = { self: 5_000, refresh: 5_000, logout: 5_000, login: 1_000, register: 150 };
const CONNECTIONS = { self: 20, refresh: 20, logout: 20, login: 8, register: 8 };
/** Of the rotations that wear the tables: every session this many times, in no order. */
const TURNS = 3;
/** The part of the rows that changes before autovacuum cleans a table, by default. */
const VACUUM_AFTER = 0.2;
const BATCH = 1_000;

/** Records of PostgreSQL's log that stand for rows and index entries. */
const RECORDS = {
  inserted: /^Heap\d?\/(MULTI_)?INSERT/,
  updated: /^Heap\/(HOT_)?UPDATE/,
  deleted: /^Heap\/DELETE/,
  indexed: /^Btree\/INSERT/,
  committed: /^Transaction\/COMMIT/,
};

/**
 * @typedef {keyof typeof CLIENTS} Work
 * @typedef {{ name: string, count: number, bytes: number, images: number }} LogRecord
 */

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

let registered = 0;
function registering() {
  registered += 1;
  const email = `new${registered}@example.com`;
  const names = { firstName: 'Ada', lastName: 'Lovelace' };
  return {
    method: 'POST',
    path: '/auth/register',
    headers: JSON_HEADERS,
    cookies: {},
    body: JSON.stringify({ ...names, email, password: PASSWORD }),
  };
}

/** @param {pg.Client} client */
async function position(client) {
  const { rows } = await client.query('SELECT pg_current_wal_insert_lsn() AS lsn');
  return rows[0].lsn;
}

/**
 * What PostgreSQL wrote to its log since then, per request. Images are whole pages, which it writes at the
 * first change of a page after a checkpoint; the other bytes do not depend on checkpoints.
 * @param {pg.Client} client
 * @param {string} since
 * @param {number} requests
 */
async function logged(client, since, requests) {
  const { rows } = await client.query(
    `SELECT "resource_manager/record_type" AS name, count::float AS count,
            record_size::float AS bytes, fpi_size::float AS images
     FROM pg_get_wal_stats($1, pg_current_wal_flush_lsn(), true) WHERE count > 0`,
    [since],
  );
  const records = /** @type {LogRecord[]} */ (rows);
  const sum = (/** @type {(record: LogRecord) => number} */ of) =>
    records.reduce((total, record) => total + of(record), 0) / requests;
  const counted = Object.entries(RECORDS).map(([name, pattern]) => [
    name,
    sum((record) => (pattern.test(record.name) ? record.count : 0)),
  ]);
  return {
    walBytes: sum(({ bytes }) => bytes),
    walImageBytes: sum(({ images }) => images),
    .../** @type {Record<keyof typeof RECORDS, number>} */ (Object.fromEntries(counted)),
  };
}

/**
 * Bytes of tables and indexes per row.
 * @param {pg.Client} client
 * @param {string} table
 * @returns {Promise<Record<string, number>>}
 */
async function sizes(client, table) {
  const { rows } = await client.query(
    `SELECT relname AS name,
            pg_relation_size(pg_class.oid)::float / (SELECT count(*) FROM ${table}) AS bytes
     FROM pg_class LEFT JOIN pg_index ON indexrelid = pg_class.oid
     WHERE '${table}'::regclass IN (pg_class.oid, indrelid) ORDER BY relkind DESC, relname`,
  );
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, Math.round(bytes)]));
}

/**
 * Rotates every session in no order, by the statement of the service, and cleans up as autovacuum does.
 * @param {pg.Client} client
 */
async function wear(client) {
  const { ROTATE } = builtStatements('session');
  const due = (VACUUM_AFTER * options.rows) / BATCH;
  let batches = 0;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const { rows } = await client.query(
      `SELECT array_agg(session_id) AS sessions, array_agg(id) AS ids, array_agg(user_id) AS users
       FROM (SELECT *, row_number() OVER (ORDER BY random()) AS place FROM refresh_tokens) AS shuffled
       GROUP BY place / ${BATCH}`,
    );
    for (const { sessions, ids, users } of rows) {
      const agents = sessions.map(() => BROWSER_HEADERS['user-agent']);
      const addresses = sessions.map(() => '192.0.2.1');
      const values = [sessions, ids, users, 10, 2_592_000, 7_776_000, agents, addresses];
      await client.query(ROTATE.text, values);
      batches += 1;
      if (batches % due === 0) await client.query('VACUUM refresh_tokens');
    }
  }
}

await onWorkbench(async (bench) => {
  await bench.useLargeLog();
  const database = await prepareService(bench);
  const { username: user, name, ...server } = database;
  const client = new pg.Client({ ...server, user, database: name });
  await client.connect();
  await client.query('CREATE EXTENSION pg_walinspect');
  await fill(client, options);
  const fresh = {
    user: await sizes(client, 'users'),
    session: await sizes(client, 'refresh_tokens'),
  };
  await wear(client);
  const stored = { ...fresh, wornSession: await sizes(client, 'refresh_tokens') };
  say(JSON.stringify(stored));
  await client.query('VACUUM ANALYZE');

  const running = await startService(bench, {
    database,
    settings: { SESSION_PURGE_INTERVAL_SECONDS: '0' },
  });
  const cookiesOf = signer(bench);
  /** Each session is used by one operation in one round. */
  const sessions = await someSessions(client, options.rows / 2);
  const signedIn = (/** @type {Work} */ work, /** @type {string} */ method) =>
    sessions.splice(0, CLIENTS[work]).map((session) => ({
      method,
      path: `/auth/${work}`,
      headers: BROWSER_HEADERS,
      cookies: cookiesOf(session),
    }));
  /** @type {Record<Work, () => import('./lib/load.mjs').LoadClient[]>} */
  const clientsOf = {
    self: () => signedIn('self', 'GET'),
    refresh: () => signedIn('refresh', 'POST'),
    logout: () => signedIn('logout', 'POST'),
    login: () =>
      Array.from({ length: CLIENTS.login }, () => {
        const number = 1 + Math.floor(Math.random() * options.users);
        return signingInAs('/auth/login', `user${number}@example.com`);
      }),
    register: () => Array.from({ length: CLIENTS.register }, registering),
  };
  const works = /** @type {Work[]} */ (Object.keys(clientsOf));

  const measured = async (/** @type {Work} */ work) => {
    const job = { connections: CONNECTIONS[work], seconds: options.seconds };
    const once = work === 'logout' || work === 'register';
    const clients = clientsOf[work]();
    await client.query('CHECKPOINT');
    const since = await position(client);
    const figures = await bench.measure(running, {
      ...{ ...job, clients },
      ...(once && { once, seconds: 60 }),
    });
    return {
      ...figures,
      clients: clients.length,
      ...(await logged(client, since, figures.requests)),
    };
  };
  const warmup = { connections: 20, seconds: 3 };
  await bench.measure(running, { ...warmup, clients: signedIn('self', 'GET') });
  await bench.measure(running, { ...warmup, clients: signedIn('refresh', 'POST') });

  /** @type {Record<Work, Awaited<ReturnType<typeof measured>>[]>} */
  const rounds = { self: [], refresh: [], logout: [], login: [], register: [] };
  for (let round = 0; round < options.rounds; round += 1)
    for (const work of works) rounds[work].push(await measured(work));
  await client.end();
  await running.program.stop();

  const keys = /** @type {const} */ ([
    ...['cpuMicros', 'databaseMicros', 'walBytes', 'walImageBytes'],
    ...['inserted', 'updated', 'deleted', 'indexed', 'committed'],
  ]);
  const costs = Object.fromEntries(
    works.map((work) => [
      work,
      Object.fromEntries(
        keys.map((key) => [key, median(rounds[work].map((figures) => Number(figures[key])))]),
      ),
    ]),
  );
  const figure = (/** @type {number} */ value) =>
    value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 });
  process.stdout.write(
    `${markdownTable(
      ['a request', ...keys],
      works.map((work) => [work, ...keys.map((key) => figure(costs[work][key]))]),
    )}\n\n`,
  );
  for (const [what, bytes] of Object.entries(stored))
    process.stdout.write(
      `${markdownTable(
        [`bytes per ${what}`, ''],
        Object.entries(bytes).map(([name, value]) => [name, figure(value)]),
      )}\n\n`,
    );
  return conclude(bench, 'costs', { options, costs, stored, rounds }, []);
});
