/**
 * Makes the RSA pair that signs and verifies access tokens: private.pem and public.pem in CERTS_DIR.
 * It needs nothing installed.
 */
import { createKeys } from './createKeys.mjs';
import { loadEnvironment } from './environment/loadEnvironment.mjs';
import { certsDir } from './folders.mjs';
import { runScript } from './runScript.mjs';
import { ScriptError } from './ScriptError.mjs';

await runScript(async () => {
  const args = process.argv.slice(2);
  const force = args.includes('--force');
  const [given = '2048', ...rest] = args.filter((arg) => arg !== '--force');
  if (rest.length > 0 || given.startsWith('-')) {
    throw new ScriptError('usage: node scripts/generateKeys.mjs [bits] [--force]');
  }
  loadEnvironment(process.env.NODE_ENV || 'prod');
  const bits = Number(given);
  const files = await createKeys(certsDir(), { bits, force });
  console.log(`wrote ${files.join(' and ')} (RSA, ${bits} bits)`);
});
