/**
 * Runs each job that the parent process sends, and returns the result. Ends with the parent.
 *
 * @param {(job: import('./load.mjs').Job) => Promise<object>} run
 */
export function serveJobs(run) {
  process.on('message', async (message) => {
    const job = /** @type {import('./load.mjs').Job} */ (message);
    process.send?.(await run(job));
  });
  process.on('disconnect', () => process.exit());
}
