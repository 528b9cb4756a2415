/**
 * Whether the service slows down as its tables fill: the same requests on a small and on a large
 * database, in alternation, with sessions and accounts from all parts of the tables.
 *
 *   npm run growth -- [--rows 10000000] [--users 1000000] [--rounds 5] [--seconds 5]
 */
import bcrypt from 'bcrypt';
import { createPrivateKey, createPublicKey, createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { BROWSER_HEADERS, PASSWORD } from './lib/accounts.mjs';
import { prepareService, signingInAs, startService } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { median, pairedRatio } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const LIMIT = 1.25;
const SMALL = { rows: 1_000, users: 1_000 };
/** Sessions chosen at random; the small table has no more. */
const SESSIONS = 1_000;
const WORKS = {
  self: { connections: 20 },
  refresh: { connections: 20 },
  login: { connections: 8 },
};
const options = optionsOf({ rows: 10_000_000, users: 1_000_000, rounds: 5, seconds: 5 });

/**
 * @typedef {{ id: string, userId: number, sessionId: string, expiresAt: number }} Row
 * @typedef {Awaited<ReturnType<typeof prepare>>} Side
 * @typedef {import('./lib/report.mjs').Figures} Figures
 */

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * Fills the tables of a migrated database.
 * @param {pg.Client} client
 * @param {{ rows: number, users: number }} size
 */
async function fill(client, { rows, users }) {
  // Skips the foreign key checks: every user_id exists.
  await client.query('SET session_replication_role = replica');
  await client.query(
    `INSERT INTO users ("firstName", "lastName", email, password)
     SELECT 'Ada', 'Lovelace', 'user' || n || '@example.com', $1
     FROM generate_series(1, $2::integer) AS n`,
    [await bcrypt.hash(PASSWORD, 10), users],
  );
  await client.query(
    `INSERT INTO refresh_tokens (user_id, session_id, session_started_at, user_agent, ip_address,
                                 created_at, expires_at)
     SELECT 1 + n % $1::integer, gen_random_uuid(), moment, $2, '192.0.2.1', moment,
            moment + interval '30 days'
     FROM generate_series(1, $3::integer) AS n,
          LATERAL (SELECT date_trunc('seconds', now()) - n % 2000000 * interval '1 second') AS t (moment)`,
    [users, BROWSER_HEADERS['user-agent'], rows],
  );
  await client.query('VACUUM ANALYZE users, refresh_tokens');
  await client.query('CHECKPOINT');
}

/**
 * Signs the tokens of sessions in the table, as the service does.
 * @param {import('./lib/workbench.mjs').Workbench} bench
 */
function signer(bench) {
  const pem = fs.readFileSync(path.join(bench.certs, 'private.pem'));
  const privateKey = createPrivateKey(pem);
  const { e, kty, n } = createPublicKey(pem).export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
  const iat = Math.floor(Date.now() / 1000);
  return (/** @type {Row} */ row) => {
    const claims = { iss: 'http://localhost', aud: 'auth-service', sub: String(row.userId) };
    const access = { ...claims, sid: row.sessionId, role: 'customer', jti: randomUUID() };
    const refresh = { ...claims, sid: row.sessionId, jti: row.id, iat, exp: row.expiresAt };
    return {
      access_token: jwt.sign({ ...access, iat, exp: iat + 3600 }, privateKey, {
        algorithm: 'RS256',
        header: { alg: 'RS256', typ: 'at+jwt', kid },
      }),
      refresh_token: jwt.sign(refresh, bench.secret, { algorithm: 'HS256' }),
    };
  };
}

/**
 * A service on tables of this size, and the clients of each work.
 * @param {import('./lib/workbench.mjs').Workbench} bench
 * @param {{ rows: number, users: number }} size
 */
async function prepare(bench, size) {
  const database = await prepareService(bench);
  const { username: user, name, ...server } = database;
  const client = new pg.Client({ ...server, user, database: name });
  await client.connect();
  say(`filling ${size.users} users and ${size.rows} sessions`);
  const startedAt = Date.now();
  await fill(client, size);
  /** @type {{ rows: Row[] }} */
  const { rows } = await client.query(
    `SELECT id, user_id AS "userId", session_id AS "sessionId",
            extract(epoch FROM expires_at)::integer AS "expiresAt"
     FROM refresh_tokens
     WHERE id IN (SELECT 1 + floor(random() * $1)::bigint FROM generate_series(1, $2::integer))`,
    [size.rows, SESSIONS],
  );
  const { rows: sizes } = await client.query(
    `SELECT relname AS name, pg_total_relation_size(oid) / 1048576 AS mebibytes
     FROM pg_class WHERE relname IN ('users', 'refresh_tokens')`,
  );
  await client.end();
  const tables = Object.fromEntries(sizes.map(({ name, mebibytes }) => [name, Number(mebibytes)]));
  say(`${JSON.stringify(tables)} MiB after ${Math.round((Date.now() - startedAt) / 1000)} s`);

  const cookiesOf = signer(bench);
  const signedIn = rows.map((row) => ({ headers: BROWSER_HEADERS, cookies: cookiesOf(row) }));
  return {
    running: await startService(bench, { database }),
    tables,
    /** @type {Record<keyof typeof WORKS, import('./lib/load.mjs').LoadClient[]>} */
    clients: {
      self: signedIn.map((client) => ({ ...client, method: 'GET', path: '/auth/self' })),
      refresh: signedIn.map((client) => ({ ...client, method: 'POST', path: '/auth/refresh' })),
      login: rows.map(({ userId }) => signingInAs('/auth/login', `user${userId}@example.com`)),
    },
  };
}

await onWorkbench(async (bench) => {
  const small = await prepare(bench, SMALL);
  const large = await prepare(bench, options);
  /** @type {Record<string, object>} */
  const result = {};
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
    await measure(small, 3);
    await measure(large, 3);
    /** @type {Record<'small' | 'large', Figures[]>} */
    const rounds = { small: [], large: [] };
    for (let round = 0; round < options.rounds; round += 1) {
      rounds.small.push(await measure(small, options.seconds));
      rounds.large.push(await measure(large, options.seconds));
    }
    const p50 = (/** @type {'small' | 'large'} */ side) => rounds[side].map((round) => round.p50);
    const ratio = pairedRatio(p50('large'), p50('small'));
    result[work] = { rounds, ratio };
    targets.push(
      { text: `${work}, p50 on the small database, ms`, value: median(p50('small')) },
      { text: `${work}, large ÷ small`, atMost: LIMIT, value: ratio.median },
    );
  }
  await Promise.all([small, large].map(({ running }) => running.program.stop()));
  return conclude(bench, 'growth', { options, tables: large.tables, ...result }, targets);
});
