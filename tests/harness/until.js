const { setTimeout: sleep } = require('node:timers/promises');

/**
 * Waits until a condition is true. A condition that throws is not true yet.
 *
 * @param {() => unknown} condition may return a promise
 * @param {string} what it waits for, for the error
 * @param {number} [limit] in milliseconds
 * @throws {Error} if it is not true within the limit, with what it waited for
 */
async function until(condition, what, limit = 20_000) {
  const deadline = Date.now() + limit;
  for (;;) {
    /** @type {unknown} */
    let cause;
    try {
      if (await condition()) return;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${limit} ms: ${what}`, { cause });
    await sleep(20);
  }
}

module.exports = { until };
