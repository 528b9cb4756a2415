/**
 * Whether the time of a failed login reveals that an account exists: alternates an unknown e-mail and a
 * wrong password, one request at a time.
 *
 *   npm run enumeration -- [--samples 200]
 */
import { JSON_HEADERS, signUpAll } from './lib/accounts.mjs';
import { startService } from './lib/contestants.mjs';
import { optionsOf } from './lib/options.mjs';
import { conclude } from './lib/report.mjs';
import { median } from './lib/statistics.mjs';
import { onWorkbench } from './lib/workbench.mjs';

const TOLERANCE = 0.1;
const WARM_UP = 10;
const options = optionsOf({ samples: 200 });

/**
 * @param {string} url
 * @param {string} email
 * @returns {Promise<number>} milliseconds
 */
async function failedLogin(url, email) {
  const body = JSON.stringify({ email, password: 'not the password of anybody' });
  const sentAt = performance.now();
  const response = await fetch(url, { method: 'POST', headers: JSON_HEADERS, body });
  await response.text();
  if (response.status !== 401) throw new Error(`a wrong login got ${response.status}`);
  return performance.now() - sentAt;
}

await onWorkbench(async (bench) => {
  const { origin } = await startService(bench);
  const [{ email }] = await signUpAll(`${origin}/auth/register`, 1);
  const url = `${origin}/auth/login`;
  /** @type {number[]} */
  const unknown = [];
  /** @type {number[]} */
  const known = [];
  for (let sample = -WARM_UP; sample < options.samples; sample += 1) {
    const probes = [
      async () => unknown.push(await failedLogin(url, `nobody${sample + WARM_UP}@example.com`)),
      async () => known.push(await failedLogin(url, email)),
    ];
    if (sample % 2 === 0) probes.reverse();
    for (const probe of probes) await probe();
  }
  const milliseconds = { unknown: unknown.slice(WARM_UP), known: known.slice(WARM_UP) };
  const medians = { unknown: median(milliseconds.unknown), known: median(milliseconds.known) };
  const difference = Math.abs(medians.unknown / medians.known - 1);
  return conclude(bench, 'enumeration', { options, milliseconds }, [
    { text: 'unknown e-mail, median ms', value: medians.unknown },
    { text: 'wrong password, median ms', value: medians.known },
    { text: 'difference of the medians', atMost: TOLERANCE, value: difference },
  ]);
});
