import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from '../bindPort.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { failureLine } from './failureLine.mjs';
import { processExists, readPidFile } from './runningServer.mjs';

const HOST = '127.0.0.1';
const STOP_MS = 8_000;
/**
 * Another process won the race for the folder, a killed server has not quite ended, or the port was
 * taken after it was found free.
 */
const PASSING = /lock file|shared memory|could not bind|could not create any TCP/i;

/**
 * Runs a server. When the pipe on fd 3 closes, which the system does however node ends, the server
 * gets SIGINT, PostgreSQL's fast shutdown.
 */
const LEASH = `
"$@" 3<&- & server=$!
( read -r _ <&3; kill -INT $server ) 2>/dev/null & leash=$!
exec 3<&-
wait $server; code=$?
kill $leash 2>/dev/null
exit $code
`;

/**
 * Starts a server that ends with this process.
 *
 * @param {import('./startEmbeddedPostgres.mjs').Site} site
 * @param {{ port: number | undefined, fsync: boolean }} options
 * @returns {Promise<{ pid: number, port: number, stop: () => Promise<void> } | undefined>} undefined
 *   if another try may succeed
 * @throws {ScriptError}
 */
export async function launchServer({ dataDir, user, binaries }, { port: wanted, fsync }) {
  const port = await choosePort(dataDir, wanted);
  const settings = [
    ...[`listen_addresses=${HOST}`, 'unix_socket_directories='],
    ...(fsync ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ].flatMap((setting) => ['-c', setting]);
  const server = [binaries.postgres, '-D', dataDir, '-p', String(port), ...settings];
  const command = process.platform === 'win32' ? server : ['/bin/sh', '-c', LEASH, 'sh', ...server];
  // A killed server leaves its file.
  const before = readPidFile(dataDir)?.written ?? 0;
  const log = path.join(dataDir, 'server.log');
  const output = fs.openSync(log, 'w', 0o600);
  if (user) fs.fchownSync(output, user.uid, user.gid);
  const child = spawn(command[0] ?? '', command.slice(1), {
    ...user,
    cwd: path.parse(dataDir).root,
    // A group of its own: Ctrl-C in the terminal must not end it before the service.
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
  });
  fs.closeSync(output);
  const leash = /** @type {import('node:net').Socket} */ (child.stdio[3]);
  leash.on('error', () => undefined).unref();
  child.unref();
  let isOver = false;
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  void ended.then(() => (isOver = true));

  while (!isOver) {
    const file = readPidFile(dataDir);
    if (!file?.ready || file.port !== port || file.written <= before) {
      await sleep(25);
      continue;
    }
    const { pid } = file;
    const stop = async () => {
      child.ref();
      if (process.platform === 'win32') process.kill(pid);
      leash.destroy();
      await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
      if (!isOver && processExists(pid)) process.kill(pid, 'SIGQUIT');
      await ended;
    };
    return { pid, port, stop };
  }
  const text = fs.readFileSync(log, 'utf8');
  if (PASSING.test(text)) return undefined;
  throw new ScriptError(`embedded PostgreSQL did not start: ${failureLine(text)}`);
}

/**
 * The wanted port, otherwise the one of the last start if it is free, otherwise any.
 * @param {string} dataDir
 * @param {number | undefined} wanted
 */
async function choosePort(dataDir, wanted) {
  if (wanted)
    return bindPort(wanted, HOST).catch(() => {
      throw new ScriptError(`port ${wanted} on ${HOST} is taken`);
    });
  // PostgreSQL notes its command line there.
  const options = path.join(dataDir, 'postmaster.opts');
  const last = fs.existsSync(options) ? fs.readFileSync(options, 'utf8') : '';
  const [, port = '0'] = /"-p" "(\d+)"/.exec(last) ?? [];
  return bindPort(Number(port), HOST).catch(() => bindPort(0, HOST));
}
