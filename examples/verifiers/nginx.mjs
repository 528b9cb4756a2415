import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { freePort } from '../../tests/harness/freePort.js';
import { portOf } from '../../tests/harness/portOf.js';
import { Program } from '../../tests/harness/Program.js';
import { tempFolder } from '../../tests/harness/tempFolder.js';
import { ask } from './middleware.mjs';

/**
 * nginx with auth_request, in front of an upstream that responds with the subject.
 *
 * @param {{ address: string, subject: string }} service
 * @returns {Promise<import('./middleware.mjs').Verifier>}
 */
export async function verifyWithNginx({ address, subject }) {
  const upstream = createServer((_req, res) => res.end(subject))
    .listen(0, '127.0.0.1')
    .unref();
  await once(upstream, 'listening');
  const listenAddress = `127.0.0.1:${await freePort()}`;

  const prefix = tempFolder('nginx');
  const template = fs.readFileSync(path.join(import.meta.dirname, 'nginx.conf'), 'utf8');
  fs.writeFileSync(
    path.join(prefix, 'nginx.conf'),
    template
      .replace('AUTH_ADDRESS/', `${address}/`)
      .replace('UPSTREAM_ADDRESS;', `127.0.0.1:${portOf(upstream)};`)
      .replace('LISTEN_ADDRESS;', `${listenAddress};`),
  );
  const nginx = new Program('nginx', [
    ...['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'],
  ]);
  await nginx.responds(`http://${listenAddress}/`, 401);
  return {
    verify: (token) => ask(`http://${listenAddress}/`, token),
    stop: async () => {
      await nginx.stop();
    },
  };
}
