/**
 * The service, the floors of its work and its peers, measured in alternation: A B C A B C …
 *
 *   npm start -- [--only self,refresh,login,jwks] [--rounds 5] [--seconds 5] [--against other/dist]
 */
import { compare, WORKS } from './lib/compare.mjs';
import { otherBuild, opponents, service } from './lib/contestants.mjs';
import { describeMachine } from './lib/machine.mjs';
import { optionsOf, refuse } from './lib/options.mjs';
import { report } from './lib/report.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const options = optionsOf({
  only: Object.keys(WORKS).join(','),
  rounds: 5,
  seconds: 5,
  warmup: 3,
  against: '',
});

const names = /** @type {(keyof typeof WORKS)[]} */ (options.only.split(','));
if (!names.every((name) => name in WORKS)) refuse(`--only knows ${Object.keys(WORKS).join(', ')}`);

await onWorkbench(async (bench) => {
  const against = options.against ? [otherBuild(options.against)] : Object.values(opponents);
  const works = [];
  for (const name of names) works.push(await compare(bench, name, [service, ...against], options));
  const complete = names.length === Object.keys(WORKS).length && !options.against;
  report(
    { machine: await describeMachine(bench), options, works },
    complete ? 'latest' : 'partial',
  );
});
