/**
 * From the start of the built service to its first `ready`.
 *
 *   npm run startup -- [--runs 10]
 */
import { prepareService, startService } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { median } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const LIMIT_MS = 1_000;
const options = optionsOf({ runs: 10 });

await onWorkbench(async (bench) => {
  const database = await prepareService(bench);
  const milliseconds = [];
  for (let run = 0; run < options.runs; run += 1) {
    const startedAt = performance.now();
    const { program } = await startService(bench, { database });
    milliseconds.push(performance.now() - startedAt);
    await program.stop();
  }
  return conclude(bench, 'startup', { options, milliseconds }, [
    { text: 'start to ready, median, ms', atMost: LIMIT_MS, value: median(milliseconds) },
    { text: 'start to ready, slowest, ms', atMost: LIMIT_MS, value: Math.max(...milliseconds) },
  ]);
});
