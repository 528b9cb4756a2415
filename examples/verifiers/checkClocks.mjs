import { assertRefused, check } from './checks.mjs';

/** By how much the clocks of auth-service and of a verifier may differ, in seconds. */
const SKEW = 5;
const LIFETIME = 3600;

/**
 * Shows a verifier tokens of an auth-service whose clock is ahead of the verifier's, the same, or behind.
 *
 * @param {string} name
 * @param {Pick<import('./middleware.mjs').Verifier, 'verify'>} verifier
 * @param {(claims: { iat: number, exp: number }) => string} sign
 * @param {{ asksService?: boolean }} [options] whether auth-service itself verifies, by its own clock
 */
export async function checkClocks(name, verifier, sign, { asksService = false } = {}) {
  /** @type {(age: number, skew: number) => string} */
  const tokenOf = (age, skew) => {
    const iat = Math.floor(Date.now() / 1000) + skew - age;
    return sign({ iat, exp: iat + LIFETIME });
  };
  for (const [clock, skew] of /** @type {const} */ ([
    [`${SKEW} s behind`, SKEW],
    ['right', 0],
    [`${SKEW} s ahead`, -SKEW],
  ])) {
    await check(`${name} accepts a fresh token when its clock is ${clock}`, async () => {
      await verifier.verify(tokenOf(0, skew));
    });
    if (!asksService)
      await check(
        `${name} accepts a token in its last seconds when its clock is ${clock}`,
        async () => {
          await verifier.verify(tokenOf(LIFETIME - 3, skew));
        },
      );
    await check(`${name} refuses a token that expired 10 s ago when its clock is ${clock}`, () =>
      assertRefused(verifier, tokenOf(LIFETIME + 10, skew)),
    );
  }
}
