import fs from 'node:fs';
import path from 'node:path';
import { freePort } from '../../tests/harness/freePort.js';
import { Program } from '../../tests/harness/Program.js';
import { ROOT } from '../../tests/harness/root.js';
import { tempFolder } from '../../tests/harness/tempFolder.js';

/**
 * Starts nginx with the file of deploy/nginx, in which only the addresses change; resolves to its port.
 *
 * @param {number[]} replicas their ports
 */
export async function startNginx([one, two]) {
  const folder = tempFolder('nginx');
  const port = await freePort();
  const site = fs
    .readFileSync(path.join(ROOT, 'deploy/nginx/auth-service.conf'), 'utf8')
    .replace('10.0.0.21:3000', `127.0.0.1:${one}`)
    .replace('10.0.0.22:3000', `127.0.0.1:${two}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${port}`);
  const main = `
    daemon off;
    # Otherwise its worker outlives a kill -9.
    master_process off;
    pid ${folder}/nginx.pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
        .join('\n')}
      ${site}
    }`;
  const file = path.join(folder, 'nginx.conf');
  fs.writeFileSync(file, main);
  const program = new Program('nginx', ['-p', folder, '-c', file]);
  await program.until(async () => {
    await fetch(`http://127.0.0.1:${port}/health/live`);
    return true;
  }, 'nginx');
  return { program, port };
}
