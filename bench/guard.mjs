/**
 * Whether the service has become slower: its ratio to the bare floors in one short run, for CI. The
 * limits are far below what it reaches: a noisy machine passes, and a service of half the speed fails.
 *
 *   npm run guard -- [--rounds 3] [--seconds 1]
 */
import { compare } from './lib/compare.mjs';
import { opponents, service } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { pairedRatio } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const { expressSelect, signAndUpdate, expressBare } = opponents;
/** Before Node 24, bare Express takes four times as long. */
const isSlowExpress = Number.parseInt(process.versions.node) < 24;
const FLOORS = [
  { work: /** @type {const} */ ('self'), floor: expressSelect, atLeast: isSlowExpress ? 1.2 : 0.9 },
  { work: /** @type {const} */ ('refresh'), floor: signAndUpdate, atLeast: 0.8 },
  { work: /** @type {const} */ ('jwks'), floor: expressBare, atLeast: isSlowExpress ? 1 : 0.3 },
];
const options = optionsOf({ rounds: 3, seconds: 1, warmup: 2 });

await onWorkbench(async (bench) => {
  const targets = [];
  for (const { work, floor, atLeast } of FLOORS) {
    const { entries } = await compare(bench, work, [service, floor], options);
    const [ours, theirs] = entries.map(({ rounds }) => rounds.map(({ perSecond }) => perSecond));
    const { median } = pairedRatio(ours, theirs);
    targets.push({ text: `${work} ÷ ${floor.title}`, atLeast, value: median });
  }
  return conclude(bench, 'guard', { options }, targets);
});
