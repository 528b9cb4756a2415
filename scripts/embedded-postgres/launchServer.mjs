import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from '../bindPort.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { readPidFile } from './readPidFile.mjs';

const HOST = '127.0.0.1';
/** A fast shutdown writes everything that is not on disk yet. */
const STOP_MS = 8_000;
/** Another process was faster, a killed server has not quite ended, or the port was taken just now. */
const PASSING = /lock file|shared memory|could not bind|could not create any TCP/i;

/**
 * Becomes the server ($$ stays its pid), beside a process that waits until the pipe on fd 3 closes,
 * which the system does however node ends, and then sends SIGINT, PostgreSQL's fast shutdown.
 */
const LEASH = `
( ( read -r _ <&3; kill -INT $$ ) 2>/dev/null & )
exec "$@" 3<&-
`;

/**
 * Starts a server on a data folder. It ends with this process, even after kill -9. Resolves to
 * undefined if another try may succeed.
 *
 * @param {import('./startEmbeddedPostgres.mjs').Site} site
 * @param {{ port: number | undefined, fsync: boolean }} options
 */
export async function launchServer({ dataDir, user, binaries }, { port: wanted, fsync }) {
  const port = await choosePort(dataDir, wanted);
  const settings = [
    ...[`listen_addresses=${HOST}`, 'unix_socket_directories='],
    ...(fsync ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ].flatMap((setting) => ['-c', setting]);
  const command = [binaries.postgres, '-D', dataDir, '-p', String(port), ...settings];
  const leash = process.platform === 'win32' ? [] : ['/bin/sh', '-c', LEASH, 'sh'];
  const [file = '', ...args] = [...leash, ...command];
  // A killed server leaves its file, and may have had the same pid in another container.
  const before = readPidFile(dataDir)?.written ?? 0;
  const log = path.join(dataDir, 'server.log');
  const output = fs.openSync(log, 'w', 0o600);
  if (user) fs.fchownSync(output, user.uid, user.gid);
  const child = spawn(file, args, {
    ...user,
    cwd: '/',
    // A group of its own: Ctrl-C in the terminal must not end it before the service.
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
  });
  fs.closeSync(output);
  const pipe = /** @type {import('node:net').Socket} */ (child.stdio[3]);
  pipe.unref();
  child.unref();
  const ended = once(child, 'exit').finally(() => pipe.destroy());
  const stop = async () => {
    child.ref();
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_MS);
    await ended;
    clearTimeout(timer);
  };

  while (child.exitCode === null && child.signalCode === null) {
    const server = readPidFile(dataDir);
    if (server?.ready && server.pid === child.pid && server.written > before) {
      return { pid: server.pid, port, stop };
    }
    await Promise.race([ended, sleep(25)]);
  }
  const text = fs.readFileSync(log, 'utf8');
  if (PASSING.test(text)) return undefined;
  const reasons = [...text.matchAll(/\b(?:FATAL|PANIC|DETAIL): +(.*)/g)].map(
    ([, reason]) => reason,
  );
  throw new ScriptError(`PostgreSQL did not start: ${reasons.join(': ') || `see ${log}`}`);
}

/**
 * The wanted port, otherwise the one of the last start if it is free, otherwise any.
 * @param {string} dataDir
 * @param {number | undefined} wanted
 */
async function choosePort(dataDir, wanted) {
  if (wanted) {
    return bindPort(wanted, HOST).catch(() => {
      throw new ScriptError(`port ${wanted} on ${HOST} is taken`);
    });
  }
  // PostgreSQL notes its command line there.
  const options = path.join(dataDir, 'postmaster.opts');
  const last = fs.existsSync(options) ? fs.readFileSync(options, 'utf8') : '';
  const [, port = '0'] = /"-p" "(\d+)"/.exec(last) ?? [];
  return bindPort(Number(port), HOST).catch(() => bindPort(0, HOST));
}
