/**
 * What a pooler costs: the service next to itself behind PgBouncer in transaction mode.
 *
 *   npm run pooler -- [--program /usr/sbin/pgbouncer] [--rounds 5] [--seconds 5]
 */
import { startPgBouncer } from '../tests/harness/startPgBouncer.js';
import { compare } from './lib/compare.mjs';
import { prepareService, service, startService } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { pairedRatio } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const options = optionsOf({ program: '/usr/sbin/pgbouncer', rounds: 5, seconds: 5, warmup: 3 });

/** @type {import('./lib/contestants.mjs').Contestant} */
const pooled = {
  ...service,
  title: 'auth-service behind PgBouncer',
  start: async (bench) => {
    const database = await prepareService(bench);
    const { port } = await startPgBouncer(options.program, database, database);
    return startService(bench, {
      database: { ...database, port },
      settings: { DB_POOLER: 'transaction' },
    });
  },
};

await onWorkbench(async (bench) => {
  const works = [];
  for (const name of /** @type {const} */ (['self', 'refresh', 'login']))
    works.push(await compare(bench, name, [service, pooled], options));
  const ratios = works.map(({ name, entries }) => {
    const [direct, behind] = entries.map(({ rounds }) => rounds.map(({ perSecond }) => perSecond));
    return { name, ratio: pairedRatio(behind, direct) };
  });
  return conclude(
    bench,
    'pooler',
    { options, works },
    ratios.map(({ name, ratio }) => ({
      text: `${name}, behind the pooler ÷ direct`,
      atLeast: 0.5,
      value: ratio.median,
    })),
  );
});
