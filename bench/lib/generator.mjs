/**
 * The load generator, a separate process.
 *
 * autocannon can give each connection its own cookies, but it cuts the requests in flight at the end
 * of a run: the responses with the new refresh tokens are lost, and the next run measures the recovery
 * from that. Here a run ends when the last response has arrived.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { serveJobs } from './serveJobs.mjs';
import { summary } from './statistics.mjs';

/** The most requests of a run. */
const MAX_REQUESTS = 5_000_000;
const TIMEOUT = 30_000;

/** @typedef {import('./load.mjs').LoadClient} LoadClient */

/** @param {LoadClient} client */
function headersOf({ headers, cookies }) {
  const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
  return cookie.length === 0 ? headers : { ...headers, cookie: cookie.join('; ') };
}

/**
 * Stores the cookies of a response, as a browser does.
 * @param {LoadClient} client
 * @param {string | string[] | undefined} setCookie
 */
function adoptCookies(client, setCookie) {
  for (const line of [setCookie ?? []].flat()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) client.cookies[name] = value;
  }
}

/**
 * Sends one request and resolves to its status when the whole response has arrived.
 * @param {Client} connection
 * @param {LoadClient} client
 * @returns {Promise<number | string>} the code of the error when there is no response
 */
function send(connection, client) {
  const { method, path, body } = client;
  return new Promise((resolve) => {
    let status = 0;
    connection.dispatch(
      { method, path, body: body ?? null, headers: headersOf(client) },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode, headers) {
          status = statusCode;
          adoptCookies(client, headers['set-cookie']);
        },
        onResponseData() {},
        onResponseEnd: () => resolve(status),
        onResponseError: (_controller, error) =>
          resolve('code' in error ? String(error.code) : error.message),
      },
    );
  });
}

/** @param {import('./load.mjs').Job} job */
async function run({ origin, connections, seconds, clients, perSecond = Infinity, once = false }) {
  if (origin === undefined) throw new Error('a job for the load generator needs an origin');
  /** @type {number[]} */
  const latencies = [];
  /** @type {Record<string, number>} */
  const failures = {};
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1000;
  const interval = (connections / perSecond) * 1000;
  let sent = 0;

  /**
   * One connection, whose own clients take turns; a client never has two requests in flight.
   *
   * @param {unknown} _value
   * @param {number} number
   */
  const lane = async (_value, number) => {
    const own = clients.filter((_client, index) => index % connections === number);
    const connection = new Client(origin, { headersTimeout: TIMEOUT, bodyTimeout: TIMEOUT });
    let due = startedAt + (interval > 0 ? (interval * number) / connections : 0);
    const turns = once ? own.length : MAX_REQUESTS;
    for (let turn = 0; turn < turns && performance.now() < deadline; turn += 1) {
      if (sent === MAX_REQUESTS) break;
      if (interval > 0) {
        await sleep(Math.max(0, due - performance.now()));
        due += interval;
      }
      sent += 1;
      const sentAt = performance.now();
      const status = await send(connection, own[turn % own.length]);
      latencies.push(performance.now() - sentAt);
      if (status !== 200 && status !== 201) failures[status] = (failures[status] ?? 0) + 1;
    }
    await connection.close();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  const elapsed = (performance.now() - startedAt) / 1000;
  return { ...summary(latencies, elapsed), failures, clients };
}

serveJobs(run);
