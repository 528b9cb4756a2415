const path = require('node:path');
const { migrate } = require('../../tests/harness/migrate');
const { serviceEnvironment } = require('../../tests/harness/serviceEnvironment');

/**
 * What the previous release does before its specs, on a server whose template1 has the schema of this
 * version: each database of the specs is a copy of it.
 *
 * @param {{ rootDir: string }} release
 */
module.exports = async function globalSetup({ rootDir }) {
  const harness = path.join(rootDir, 'tests/harness');
  const { startPostgres } = require(path.join(harness, 'startPostgres'));
  const server = await startPostgres({ fsync: false });
  process.stdout.write(migrate(serviceEnvironment({ ...server, name: 'template1' })));
  Object.assign(globalThis, { embeddedPostgres: server });
  await require(path.join(rootDir, 'tests/support/globalSetup')).default();
};
