const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { onExit } = require('signal-exit');

/**
 * A new, empty folder. All folders of one run are in one folder, which is removed when the process that
 * created it ends; child processes find it in HARNESS_FOLDER.
 *
 * @param {string} name
 */
function tempFolder(name) {
  process.env.HARNESS_FOLDER ??= rootFolder();
  return makeFolder(path.join(process.env.HARNESS_FOLDER, name));
}

function rootFolder() {
  const root = makeFolder(path.join(os.tmpdir(), 'auth-service'));
  // Runs last, because programs that still write there are also killed at exit.
  onExit(() => fs.rmSync(root, { recursive: true, force: true, maxRetries: 10 }), {
    alwaysLast: true,
  });
  return root;
}

/** @param {string} prefix */
function makeFolder(prefix) {
  const folder = fs.mkdtempSync(`${prefix}-`);
  // As root, PostgreSQL and nginx run as another user, which needs access.
  fs.chmodSync(folder, 0o755);
  return folder;
}

module.exports = { tempFolder };
