/**
 * Serves an opponent on the given port, on loopback only, until its parent ends.
 * @param {import('express').Express} app
 */
export function listen(app) {
  app.listen(Number(process.env.PORT), '127.0.0.1');
  process.on('disconnect', () => process.exit());
}
