/** In seconds, before each run and not counted, so that pools open their connections again. */
const SETTLING = 0.5;

/** The kinds of work that contestants can be compared at. */
export const WORKS = {
  self: { title: 'Who am I (GET /auth/self)', connections: 50 },
  refresh: { title: 'Refresh (POST /auth/refresh)', connections: 50 },
  login: { title: 'Login (POST /auth/login), bcrypt cost 10', connections: 16 },
  jwks: { title: 'Public keys (GET /.well-known/jwks.json)', connections: 50 },
};

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * @typedef {object} Entry
 * @property {import('./contestants.mjs').Contestant} contestant
 * @property {import('./contestants.mjs').Running} running
 * @property {import('./load.mjs').LoadClient[]} clients
 * @property {import('./report.mjs').Figures[]} rounds
 */

/**
 * Measures contestants at one work in alternation: A B C A B C …
 * @param {import('./workbench.mjs').Workbench} bench
 * @param {keyof typeof WORKS} name
 * @param {import('./contestants.mjs').Contestant[]} contestants those that cannot do it are left out
 * @param {{ rounds: number, seconds: number, warmup: number }} times in seconds, each but `rounds`
 * @returns {Promise<import('./report.mjs').WorkResult>}
 */
export async function compare(bench, name, contestants, { rounds, seconds, warmup }) {
  const { title, connections } = WORKS[name];
  /** @type {Entry[]} */
  const entries = [];
  for (const contestant of contestants) {
    const makeClients = contestant.works[name];
    if (!makeClients) continue;
    const running = await contestant.start(bench);
    const clients = await makeClients(running, connections);
    entries.push({ contestant, running, clients, rounds: [] });
  }

  /**
   * @param {Entry} entry
   * @param {number} seconds
   */
  const measure = async (entry, seconds) => {
    const { clients, ...measured } = await bench.measure(entry.running, {
      connections,
      seconds,
      clients: entry.clients,
    });
    entry.clients = clients;
    return measured;
  };
  for (const entry of entries) await measure(entry, warmup);
  for (let round = 1; round <= rounds; round += 1) {
    for (const entry of entries) {
      await measure(entry, SETTLING);
      entry.rounds.push(await measure(entry, seconds));
    }
    const figures = entries.map((entry) => entry.rounds.at(-1)?.perSecond.toFixed(0));
    say(`${name}, round ${round} of ${rounds}: ${figures.join(' / ')} a second`);
  }

  await Promise.all(entries.map(({ running }) => running.program.stop()));
  return {
    name,
    title,
    connections,
    entries: entries.map(({ contestant: { title, kind }, rounds }) => ({ title, kind, rounds })),
  };
}
