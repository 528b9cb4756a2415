const path = require('node:path');
const { onExit } = require('signal-exit');
const { tempFolder } = require('./tempFolder');

/**
 * Starts a PostgreSQL that ends with this process.
 *
 * @param {object} [options]
 * @param {string} [options.dataDir] default: a new folder
 * @param {boolean} [options.fsync] false: faster, for data that may be lost
 */
async function startPostgres({ dataDir, fsync = true } = {}) {
  const { startEmbeddedPostgres } =
    await import('../../scripts/embedded-postgres/startEmbeddedPostgres.mjs');
  const server = await startEmbeddedPostgres({
    dataDir: dataDir ?? path.join(tempFolder('postgres'), 'data'),
    fsync,
  });
  // Its folder is removed at exit, so it must not write there any more.
  const forget = onExit(() => {
    if (server.alive()) process.kill(server.pid, 'SIGQUIT');
  });
  return {
    ...server,
    stop: async () => {
      forget();
      await server.stop();
    },
  };
}

module.exports = { startPostgres };
