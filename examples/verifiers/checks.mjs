import { UnexpectedAnswer } from './middleware.mjs';

let passed = 0;
let failed = 0;

/** One check, counted and printed. */
export async function check(name, body) {
  try {
    await body();
    passed += 1;
    process.stdout.write(`ok      ${name}\n`);
  } catch (error) {
    failed += 1;
    process.stdout.write(`FAILED  ${name}: ${error.message}\n`);
  }
}

/** Prints the last line, and says whether all is well. */
export function summary() {
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0;
}

export function assertEqual(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`);
}

/** That a verifier refuses a token, for a reason of its own, and does not break down over it. */
export async function assertRefused(verify, token) {
  try {
    await verify(token);
  } catch (error) {
    if (error instanceof UnexpectedAnswer) throw error;
    return;
  }
  throw new Error('was accepted');
}
