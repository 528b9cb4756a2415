/**
 * Whether memory grows: half of the load that the service can handle, self and refresh in equal parts,
 * for a long time.
 *
 *   npm run soak -- [--minutes 3]     (the target asks for 30)
 */
import { service } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { residentMiB } from './lib/usage.mjs';
import { conclude } from './lib/report.mjs';
import { slope } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const GROWTH_LIMIT_MIB = 1;
const MEMORY_LIMIT_MIB = 110;
const CONNECTIONS = 50;
const SAMPLE_EVERY_MS = 5_000;
/** Not counted, because the heap first grows to its working size. */
const WARM_PART = 1 / 3;
const options = optionsOf({ minutes: 3 });

/** @param {import('./lib/workbench.mjs').Workbench} bench */
async function soak(bench) {
  const running = await service.start(bench);
  // Every connection has two clients that take turns, so that the two kinds of request alternate.
  const selves = await service.works.self(running, CONNECTIONS);
  const refreshes = await service.works.refresh(running, CONNECTIONS, CONNECTIONS);
  const clients = [...selves, ...refreshes];
  const capacity = await bench.measure(running, { connections: CONNECTIONS, seconds: 5, clients });

  const seconds = options.minutes * 60;
  const startedAt = performance.now();
  /** @type {{ minutes: number, mebibytes: number }[]} */
  const samples = [];
  const timer = setInterval(() => {
    const minutes = (performance.now() - startedAt) / 60_000;
    samples.push({ minutes, mebibytes: residentMiB(running.program.pid) });
  }, SAMPLE_EVERY_MS);
  const perSecond = capacity.perSecond / 2;
  const load = await bench
    .measure(running, { connections: CONNECTIONS, seconds, perSecond, clients: capacity.clients })
    .finally(() => clearInterval(timer));
  return { perSecond: load.perSecond, p99: load.p99, samples };
}

await onWorkbench(async (bench) => {
  const result = await soak(bench);
  const settled = result.samples.filter(({ minutes }) => minutes >= options.minutes * WARM_PART);
  const growth =
    10 * slope(settled.map(({ minutes, mebibytes }) => ({ x: minutes, y: mebibytes })));
  const peak = Math.max(...result.samples.map(({ mebibytes }) => mebibytes));
  return conclude(bench, 'soak', { options, ...result }, [
    { text: 'requests/s', value: result.perSecond },
    { text: 'growth, MiB in 10 minutes', atMost: GROWTH_LIMIT_MIB, value: growth },
    { text: 'most memory, MiB', atMost: MEMORY_LIMIT_MIB, value: peak },
  ]);
});
