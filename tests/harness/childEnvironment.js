const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'PG_BIN_DIR', 'HARNESS_FOLDER'];

/**
 * The environment of a child process: what any program needs, and these variables. Settings of the
 * service in this shell are left out.
 *
 * @param {NodeJS.ProcessEnv} variables
 */
function childEnvironment(variables) {
  const inherited = INHERITED.map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(inherited), ...variables };
}

module.exports = { childEnvironment };
