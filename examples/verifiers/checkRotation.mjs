import { assertEqual, check } from './checks.mjs';
import { playRotation } from './rotation.mjs';

/** A rotation fails no verification, because it waits between its steps. */
export async function checkRotation() {
  await check('a whole rotation fails no verification of any verifier that caches', async () => {
    const { verified, failed, tokens, fetched, waitedFor, seconds, kids } = await playRotation();
    process.stdout.write(
      `        ${verified} verifications of ${tokens} tokens with ${fetched} fetches in ${seconds} s of moved time; waited ${waitedFor.activate} s to activate, ${waitedFor.retire} s to retire\n`,
    );
    assertEqual(failed.length, 0, `failed verifications (${failed[0]})`);
    assertEqual(kids, 1, 'keys in the set at the end');
    if (verified < 10_000) throw new Error(`only ${verified} verifications`);
    if (waitedFor.activate < 300) throw new Error('activated before the key set had expired');
    if (waitedFor.retire < 3600) throw new Error('retired before the last token had expired');
  });
  for (const step of /** @type {const} */ (['activate', 'retire'])) {
    await check(`control: a rotation that does not wait to ${step} fails some`, async () => {
      const { failed, verified } = await playRotation(step);
      if (failed.length === 0) throw new Error('no verification failed');
      if (verified === 0) throw new Error('all of them failed, before any step');
    });
  }
}
