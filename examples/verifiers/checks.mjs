import { UnexpectedAnswer } from './middleware.mjs';

let passed = 0;
let failed = 0;

/**
 * Runs, counts and prints one check.
 *
 * @param {string} name
 * @param {() => void | Promise<void>} body
 */
export async function check(name, body) {
  try {
    await body();
    passed += 1;
    process.stdout.write(`ok      ${name}\n`);
  } catch (error) {
    failed += 1;
    process.stdout.write(`FAILED  ${name}: ${error instanceof Error ? error.message : error}\n`);
  }
}

/** Prints the last line, and returns whether all checks passed. */
export function summary() {
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0;
}

/**
 * @param {unknown} actual
 * @param {unknown} expected
 * @param {string} what
 */
export function assertEqual(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`);
}

/**
 * A verifier refuses a token because of the token, not because of an error of its own.
 *
 * @param {Pick<import('./middleware.mjs').Verifier, 'verify'>} verifier
 * @param {string} token
 */
export async function assertRefused({ verify }, token) {
  try {
    await verify(token);
  } catch (error) {
    if (error instanceof UnexpectedAnswer) throw error;
    return;
  }
  throw new Error('was accepted');
}
