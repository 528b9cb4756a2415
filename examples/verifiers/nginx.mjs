import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { ask } from './middleware.mjs';
import { freePort, until } from './service.mjs';

/** nginx with auth_request, in front of an upstream that answers everybody who gets there. */
export async function verifyWithNginx({ address, subject }) {
  const upstream = createServer((_req, res) => res.end(subject))
    .listen(0, '127.0.0.1')
    .unref();
  await once(upstream, 'listening');
  const listenAddress = `127.0.0.1:${await freePort()}`;

  const prefix = fs.mkdtempSync(path.join(os.tmpdir(), 'auth-service-nginx-'));
  // As root, nginx works as another user, who has to get in.
  fs.chmodSync(prefix, 0o755);
  const template = fs.readFileSync(path.join(import.meta.dirname, 'nginx.conf'), 'utf8');
  fs.writeFileSync(
    path.join(prefix, 'nginx.conf'),
    template
      .replace('AUTH_ADDRESS/', `${address}/`)
      .replace('UPSTREAM_ADDRESS;', `127.0.0.1:${upstream.address().port};`)
      .replace('LISTEN_ADDRESS;', `${listenAddress};`),
  );
  const child = spawn(
    'nginx',
    ['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  const verify = (token) => ask(`http://${listenAddress}/`, token);
  verify.stop = async () => {
    child.kill('SIGTERM');
    await ended;
    fs.rmSync(prefix, { recursive: true, force: true });
  };
  await until(async () => (await fetch(`http://${listenAddress}/`)).status === 401, 'nginx is up');
  return verify;
}
