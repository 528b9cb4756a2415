import { cpuSeconds, residentMiB } from './usage.mjs';

/**
 * One user's browser or app.
 * @typedef {object} LoadClient
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {Record<string, string>} cookies the newest ones
 * @property {string} [body]
 *
 * @typedef {object} Job
 * @property {string} [origin] http://host:port
 * @property {number} connections requests that are in flight at all times
 * @property {number} seconds
 * @property {LoadClient[]} clients at least as many as connections
 * @property {number} [perSecond] requests a second over all connections; default: as many as possible
 * @property {boolean} [once] each client sends one request
 * @property {boolean} [mayFail] responses other than 200 and 201 are counted; otherwise they end the run
 *
 * @typedef {import('./statistics.mjs').Summary & {
 *   clients?: LoadClient[],
 *   failures: Record<string, number>,
 * }} Result
 *
 * @typedef {import('./statistics.mjs').Summary & {
 *   cpuMicros: number,
 *   databaseMicros: number,
 *   generatorShare: number,
 *   memoryMiB: number,
 *   clients: LoadClient[],
 *   failures: Record<string, number>,
 * }} Measurement CPU in µs a request; the generator's as a share of one core
 */

/**
 * Sends a job and resolves to the result.
 * @param {import('node:child_process').ChildProcess} worker
 * @param {Job} job
 * @returns {Promise<Result>}
 */
function ask(worker, job) {
  return new Promise((resolve, reject) => {
    const onMessage = (/** @type {Result} */ result) => {
      worker.off('exit', onExit);
      resolve(result);
    };
    const onExit = () => {
      worker.off('message', onMessage);
      reject(new Error('the process that makes the load has ended'));
    };
    worker.once('message', onMessage);
    worker.once('exit', onExit);
    worker.send(job);
  });
}

/**
 * Runs one job and measures its cost.
 *
 * @param {object} options
 * @param {Job} options.job
 * @param {import('node:child_process').ChildProcess} options.worker that does the job: a load
 * generator, or the floor that has no server
 * @param {number} options.serverPid
 * @param {number} options.databasePid
 * @returns {Promise<Measurement>}
 * @throws {Error} when a response is not 200 or 201, unless the job allows it: a server that refuses is fast.
 */
export async function measure({ job, worker, serverPid, databasePid }) {
  const pids = [serverPid, databasePid, worker.pid ?? NaN];
  const before = pids.map(cpuSeconds);
  const { failures, clients = job.clients, ...measured } = await ask(worker, job);
  const [server, database, generator] = pids.map((pid, i) => cpuSeconds(pid) - before[i]);
  if (Object.keys(failures).length > 0 && !job.mayFail) {
    const { method, path } = job.clients[0];
    throw new Error(`${method} ${path} got ${JSON.stringify(failures)}`);
  }
  return {
    ...measured,
    clients,
    failures,
    cpuMicros: (server / measured.requests) * 1e6,
    databaseMicros: (database / measured.requests) * 1e6,
    generatorShare: generator / measured.seconds,
    memoryMiB: residentMiB(serverPid),
  };
}
