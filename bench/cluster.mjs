/**
 * What a second process adds (WEB_CONCURRENCY=2).
 *
 *   npm run cluster -- [--rounds 5] [--seconds 5] [--processes 2]
 */
import { service, startService } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { pairedRatio } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const LIMIT = 1.3;
const CONNECTIONS = 50;
const options = optionsOf({ rounds: 5, seconds: 5, processes: 2 });

/**
 * @typedef {import('./lib/contestants.mjs').Running} Running
 * @typedef {import('./lib/load.mjs').LoadClient} LoadClient
 */

/**
 * @param {import('./lib/workbench.mjs').Workbench} bench
 * @param {'self' | 'refresh'} work
 */
async function compare(bench, work) {
  /** @type {{ running: Running, clients: LoadClient[], perSecond: number[] }[]} */
  const entries = [];
  for (const processes of [1, options.processes]) {
    const settings = { WEB_CONCURRENCY: String(processes) };
    const running = await startService(bench, { settings });
    const clients = await service.works[work](running, CONNECTIONS);
    entries.push({ running, clients, perSecond: [] });
  }
  /**
   * @param {(typeof entries)[number]} entry
   * @param {number} seconds
   */
  const measure = async (entry, seconds) => {
    const job = { connections: CONNECTIONS, seconds, clients: entry.clients };
    const measured = await bench.measure(entry.running, job);
    entry.clients = measured.clients;
    return measured.perSecond;
  };
  for (const entry of entries) await measure(entry, 3);
  for (let round = 0; round < options.rounds; round += 1)
    for (const entry of entries) entry.perSecond.push(await measure(entry, options.seconds));
  await Promise.all(entries.map(({ running }) => running.program.stop()));
  const [one, several] = entries.map(({ perSecond }) => perSecond);
  return { one, several, ratio: pairedRatio(several, one) };
}

await onWorkbench(async (bench) => {
  const self = await compare(bench, 'self');
  const refresh = await compare(bench, 'refresh');
  const several = `${options.processes} processes ÷ 1`;
  return conclude(bench, 'cluster', { options, self, refresh }, [
    { text: `self, ${several}`, atLeast: LIMIT, value: self.ratio.median },
    { text: `refresh, ${several}`, atLeast: LIMIT, value: refresh.ratio.median },
  ]);
});
