/**
 * Whether one network can delay the logins of the others: 20 networks log in now and then, while another
 * one sends logins with the right password to its own account, or goes on after its 429.
 *
 *   npm run flood -- [--rounds 3] [--seconds 10] [--honest 4] [--logins 45] [--refused 2600]
 */
import { opponents, signingInAs, startService } from './lib/contestants.mjs';
import { signUpAll } from './lib/accounts.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { median } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const NETWORKS = 20;
/** The p99 of the other networks is at most this multiple of the ideal queue. */
const LIMIT = 2;
/** Hashes that run at once. */
const CONCURRENCY = 2;
const options = optionsOf({ rounds: 3, seconds: 10, honest: 4, logins: 45, refused: 2_600 });

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * A client behind a trusted proxy.
 * @param {string} email
 * @param {string} address
 */
const from = (email, address) => {
  const client = signingInAs('/auth/login', email);
  return { ...client, headers: { ...client.headers, 'x-forwarded-for': address } };
};

await onWorkbench(async (bench) => {
  const settings = { RATE_LIMIT_ENABLED: 'true', TRUST_PROXY: 'loopback' };
  const running = await startService(bench, { settings });
  const accounts = await signUpAll(`${running.origin}/auth/register`, NETWORKS + options.rounds);
  const attacker = bench.startGenerator();
  const { seconds } = options;
  const honest = {
    connections: NETWORKS,
    seconds,
    perSecond: options.honest,
    mayFail: true,
    clients: accounts.slice(0, NETWORKS).map(({ email }, n) => from(email, `203.0.113.${n + 1}`)),
  };
  /**
   * @param {number} round
   * @param {number} perSecond
   */
  const flood = (round, perSecond) => {
    const { email } = accounts[NETWORKS + round] ?? {};
    const clients = Array.from({ length: 50 }, () => from(email ?? '', `198.51.100.${round + 1}`));
    const job = { connections: 50, seconds: seconds + 2, perSecond, clients, mayFail: true };
    return bench.measure(running, job, attacker);
  };

  const bcrypt = await opponents.rawBcrypt.start(bench);
  const rounds = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const hashing = { connections: CONCURRENCY, seconds: 3, clients: [] };
    const floor = await bench.measure(bcrypt, hashing);
    const quiet = await bench.measure(running, honest);
    const [logins, ownAccount] = await Promise.all([
      bench.measure(running, honest),
      flood(round, options.logins),
    ]);
    const [refused, afterLimit] = await Promise.all([
      bench.measure(running, honest),
      flood(round, options.refused),
    ]);
    // One hash that runs already, and the own one.
    const ideal = ((2 * CONCURRENCY) / floor.perSecond) * 1000;
    rounds.push({ ideal, quiet, logins, ownAccount, refused, afterLimit });
    say(
      `round ${round + 1}: ideal queue ${ideal.toFixed(0)} ms; p99 ${quiet.p99.toFixed(0)} ms alone, ` +
        `${logins.p99.toFixed(0)} beside logins, ${refused.p99.toFixed(0)} beside refused ones; ` +
        `attacker ${JSON.stringify(ownAccount.failures)}, then ${JSON.stringify(afterLimit.failures)}`,
    );
  }
  const failed = rounds.flatMap(({ quiet, logins, refused }) =>
    [quiet, logins, refused].flatMap(({ failures }) => Object.values(failures)),
  );
  return conclude(bench, 'flood', { options, rounds }, [
    {
      text: 'logins of other networks that failed',
      atMost: 0,
      value: failed.reduce((sum, count) => sum + count, 0),
    },
    {
      text: `their p99 beside ${options.logins} logins/s of one network ÷ ideal queue`,
      atMost: LIMIT,
      value: median(rounds.map(({ ideal, logins }) => logins.p99 / ideal)),
    },
    {
      text: `their p99 beside ${options.refused} refused logins/s ÷ ideal queue`,
      atMost: LIMIT,
      value: median(rounds.map(({ ideal, refused }) => refused.p99 / ideal)),
    },
    {
      text: 'CPU of a refused login, µs',
      value: median(rounds.map(({ afterLimit }) => afterLimit.cpuMicros)),
    },
  ]);
});
