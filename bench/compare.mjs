/**
 * The service, the floors of its work and its peers, measured in alternation: A B C A B C …
 *
 *   npm start -- [--only self,refresh,login,jwks] [--rounds 5] [--seconds 5] [--against other/dist]
 */
import { otherBuild, opponents, service } from './lib/contestants.mjs';
import { describeMachine } from './lib/machine.mjs';
import { optionsOf, refuse } from './lib/options.mjs';
import { report } from './lib/report.mjs';
import { onWorkbench, stop } from './lib/workbench.mjs';

const WORKS = {
  self: { title: 'Who am I (GET /auth/self)', connections: 50 },
  refresh: { title: 'Refresh (POST /auth/refresh)', connections: 50 },
  login: { title: 'Login (POST /auth/login), bcrypt cost 10', connections: 16 },
  jwks: { title: 'Public keys (GET /.well-known/jwks.json)', connections: 50 },
};

/** Before each run, in seconds, not counted: pools have closed connections that were idle meanwhile. */
const SETTLING = 0.5;

const options = optionsOf({
  only: Object.keys(WORKS).join(','),
  rounds: 5,
  seconds: 5,
  warmup: 3,
  against: '',
});

const names = options.only.split(',');
if (!names.every((name) => name in WORKS)) refuse(`--only knows ${Object.keys(WORKS).join(', ')}`);

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * @param {import('./lib/workbench.mjs').Workbench} bench
 * @param {keyof typeof WORKS} name
 */
async function compare(bench, name) {
  const { title, connections } = WORKS[name];
  const against = options.against ? [otherBuild(options.against)] : Object.values(opponents);
  const contestants = [service, ...against].filter(({ works }) => works[name]);
  const entries = [];
  for (const contestant of contestants) {
    const running = await contestant.start(bench);
    const clients = await contestant.works[name](running, connections);
    entries.push({ contestant, running, clients, rounds: [] });
  }

  const measure = async (entry, seconds) => {
    const { clients, ...measured } = await bench.measure(entry.running, {
      connections,
      seconds,
      clients: entry.clients,
    });
    entry.clients = clients ?? entry.clients;
    return measured;
  };
  for (const entry of entries) await measure(entry, options.warmup);
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const entry of entries) {
      await measure(entry, SETTLING);
      entry.rounds.push(await measure(entry, options.seconds));
    }
    const figures = entries.map((entry) => entry.rounds.at(-1).perSecond.toFixed(0));
    say(`${name}, round ${round} of ${options.rounds}: ${figures.join(' / ')} a second`);
  }

  await Promise.all(entries.map(({ running }) => stop(running.child)));
  return {
    name,
    title,
    connections,
    entries: entries.map(({ contestant: { title, kind }, rounds }) => ({ title, kind, rounds })),
  };
}

await onWorkbench(async (bench) => {
  const works = [];
  for (const name of names) works.push(await compare(bench, name));
  const complete = names.length === Object.keys(WORKS).length && !options.against;
  report(
    { machine: await describeMachine(bench), options, works },
    complete ? 'latest' : 'partial',
  );
});
