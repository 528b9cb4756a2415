import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { freePort } from '../../tests/harness/freePort.js';
import { Program } from '../../tests/harness/Program.js';
import { ROOT } from '../../tests/harness/root.js';

/**
 * Starts HAProxy with a file of deploy/haproxy as it is; resolves to its port.
 *
 * @param {string} file
 * @param {string} bind the variable of the file that says where it listens
 * @param {Record<string, string>} env the other variables of the file
 */
export async function startHaproxy(file, bind, env) {
  const port = await freePort();
  const config = path.join(ROOT, 'deploy/haproxy', file);
  const program = new Program('haproxy', ['-db', '-f', config], {
    env: { ...env, [bind]: `127.0.0.1:${port}` },
  });
  await program.until(async () => {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket.destroy();
  }, `haproxy -f ${file}`);
  return { program, port };
}
