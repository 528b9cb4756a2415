/**
 * How fast `self` responds while logins saturate every core.
 *
 *   npm run overload -- [--seconds 20] [--logins 20] [--selves 20]
 */
import { service } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const LIMIT_MS = 50;
/** The logins begin earlier and end later, in seconds. */
const MARGIN = 2;
const options = optionsOf({ seconds: 20, logins: 20, selves: 20 });

await onWorkbench(async (bench) => {
  const running = await service.start(bench);
  const selves = await service.works.self(running, options.selves);
  const logins = await service.works.login(running, options.logins, options.selves);
  const self = { connections: options.selves, seconds: options.seconds, clients: selves };
  await bench.measure(running, { ...self, seconds: 3 });
  const quiet = await bench.measure(running, self);

  const secondGenerator = bench.startGenerator();
  const saturating = bench.measure(
    running,
    { connections: options.logins, seconds: options.seconds + 2 * MARGIN, clients: logins },
    secondGenerator,
  );
  await bench.measure(running, { ...self, seconds: MARGIN });
  const busy = await bench.measure(running, self);
  const login = await saturating;
  const result = { options, quiet, busy, login };
  return conclude(bench, 'overload', result, [
    { text: 'self p99 without logins, ms', value: quiet.p99 },
    { text: 'self p99 under logins, ms', atMost: LIMIT_MS, value: busy.p99 },
    { text: 'self requests/s under logins', value: busy.perSecond },
    { text: 'logins/s at the same time', value: login.perSecond },
  ]);
});
