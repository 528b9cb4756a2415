/**
 * What METRICS_PORT costs: the service that measures itself next to the one that does not.
 *
 *   npm run metrics -- [--rounds 5] [--seconds 3]
 */
import { freePort } from '../tests/harness/freePort.js';
import { compare } from './lib/compare.mjs';
import { service, startService } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { median, pairedRatio } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const LIMIT = 0.85;
const options = optionsOf({ rounds: 5, seconds: 3, warmup: 3 });

/** @type {import('./lib/contestants.mjs').Contestant} */
const measured = {
  ...service,
  title: 'auth-service with METRICS_PORT',
  start: async (bench) =>
    startService(bench, { settings: { METRICS_PORT: String(await freePort()) } }),
};

await onWorkbench(async (bench) => {
  const works = [];
  for (const name of /** @type {const} */ (['self', 'refresh'])) {
    const { entries } = await compare(bench, name, [measured, service], options);
    const [on, off] = entries.map(({ rounds }) => ({
      perSecond: rounds.map(({ perSecond }) => perSecond),
      cpuMicros: median(rounds.map(({ cpuMicros }) => cpuMicros)),
      memoryMiB: Math.max(...rounds.map(({ memoryMiB }) => memoryMiB)),
    }));
    works.push({ name, on, off, ratio: pairedRatio(on.perSecond, off.perSecond) });
  }
  return conclude(
    bench,
    'metrics',
    { options, works },
    works.map(({ name, ratio }) => ({
      text: `${name}, with METRICS_PORT ÷ without`,
      atLeast: LIMIT,
      value: ratio.median,
    })),
  );
});
