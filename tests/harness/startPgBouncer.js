const fs = require('node:fs');
const path = require('node:path');
const { freePort } = require('./freePort');
const { Program } = require('./Program');
const { tempFolder } = require('./tempFolder');

/**
 * Starts a PgBouncer with transaction pooling in front of a server; all else has its default. It ends
 * with this process.
 *
 * @param {string} program the path of its executable
 * @param {{ host: string, port: number }} server
 * @param {{ username: string, password: string }} role
 */
async function startPgBouncer(program, server, role) {
  const folder = tempFolder('pgbouncer');
  const users = path.join(folder, 'users.txt');
  const settings = path.join(folder, 'pgbouncer.ini');
  const port = await freePort();
  fs.writeFileSync(users, `"${role.username}" "${role.password}"\n`, { mode: 0o644 });
  fs.writeFileSync(
    settings,
    `[databases]
* = host=${server.host} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
`,
  );
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const bouncer = new Program(program, [...user, settings]);
  await bouncer.printed(/process up/);
  return { port, stop: () => bouncer.stop() };
}

module.exports = { startPgBouncer };
