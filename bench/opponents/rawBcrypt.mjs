/**
 * Floor: only bcrypt comparisons, without a server. It runs jobs like the load generator, with the same
 * kind of result.
 */
import bcrypt from 'bcrypt';
import { serveJobs } from '../lib/serveJobs.mjs';
import { summary } from '../lib/statistics.mjs';

const COST = 10;
const PASSWORD = 'correct horse battery staple';
const hash = await bcrypt.hash(PASSWORD, COST);

/** @param {import('../lib/load.mjs').Job} job */
async function run({ connections, seconds }) {
  /** @type {number[]} */
  const latencies = [];
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1000;
  const lane = async () => {
    while (performance.now() < deadline) {
      const sentAt = performance.now();
      if (!(await bcrypt.compare(PASSWORD, hash))) throw new Error('the password does not match');
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  return { ...summary(latencies, (performance.now() - startedAt) / 1000), failures: {} };
}

serveJobs(run);
