import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from '../bindPort.mjs';
import { errorCode } from '../errorCode.mjs';
import { EmbeddedPostgresError } from './EmbeddedPostgresError.mjs';
import { failureLine } from './failureLine.mjs';
import { readPidFile } from './readPidFile.mjs';

const HOST = '127.0.0.1';
/** Recovery after a crash may take a while. */
const START_MS = 60_000;
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
 * Starts a server on a data folder.
 *
 * @param {import('./startEmbeddedPostgres.mjs').Site} site
 * @param {{ port: number | undefined, fsync: boolean, leash: boolean }} options
 * @returns {Promise<{ pid: number, port: number, stop: () => Promise<void> } | undefined>} undefined
 *   if another try may succeed
 * @throws {EmbeddedPostgresError}
 */
export async function launchServer({ dataDir, user, binaries }, { port: wanted, fsync, leash }) {
  const port = await choosePort(dataDir, wanted);
  const log = path.join(dataDir, 'server.log');
  const settings = [
    ...[`listen_addresses=${HOST}`, 'unix_socket_directories='],
    ...(fsync ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ].flatMap((setting) => ['-c', setting]);
  const command = [binaries.postgres, '-D', dataDir, '-p', String(port), ...settings];
  const leashed = leash && process.platform !== 'win32';
  const [file = '', ...args] = leashed ? ['/bin/sh', '-c', LEASH, 'sh', ...command] : command;
  // A killed server leaves its file.
  const before = readPidFile(dataDir)?.written ?? 0;
  const output = fs.openSync(log, 'w', 0o600);
  if (user) fs.fchownSync(output, user.uid, user.gid);
  const child = spawn(file, args, {
    ...(user && { uid: user.uid, gid: user.gid }),
    cwd: path.parse(dataDir).root,
    // A group of its own: Ctrl-C in the terminal must not end it before the service.
    detached: true,
    stdio: ['ignore', output, output, leashed ? 'pipe' : 'ignore'],
  });
  fs.closeSync(output);
  const pipe = /** @type {import('node:net').Socket | undefined} */ (child.stdio[3] ?? undefined);
  pipe?.on('error', () => undefined);
  pipe?.unref();
  child.unref();
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  const isOver = () => child.exitCode !== null || child.signalCode !== null || !child.pid;

  /** @param {NodeJS.Signals} signal */
  const send = (signal) => {
    const { pid } = readPidFile(dataDir) ?? {};
    try {
      if (pid) process.kill(pid, signal);
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  };
  const stop = async () => {
    child.ref();
    // Fast shutdown, immediate shutdown, kill.
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGQUIT', 'SIGKILL'])) {
      if (isOver()) return;
      if (pipe && signal === 'SIGINT') pipe.destroy();
      else send(signal);
      await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
    }
  };

  const deadline = Date.now() + START_MS;
  while (!isOver()) {
    const server = readPidFile(dataDir);
    if (server?.ready && server.port === port && server.written > before)
      return { pid: server.pid, port, stop };
    if (Date.now() > deadline) {
      await stop();
      throw new EmbeddedPostgresError(`PostgreSQL did not start in ${START_MS} ms: see ${log}`);
    }
    await sleep(25);
  }
  const text = fs.readFileSync(log, 'utf8');
  if (PASSING.test(text)) return undefined;
  throw new EmbeddedPostgresError(`embedded PostgreSQL did not start: ${failureLine(text)}`);
}

/**
 * The wanted port, otherwise the one of the last start if it is free, otherwise any.
 * @param {string} dataDir
 * @param {number | undefined} wanted
 */
async function choosePort(dataDir, wanted) {
  if (wanted) {
    return bindPort(wanted, HOST).catch(() => {
      throw new EmbeddedPostgresError(`port ${wanted} on ${HOST} is taken`);
    });
  }
  // PostgreSQL notes its command line there.
  const options = path.join(dataDir, 'postmaster.opts');
  const last = fs.existsSync(options) ? fs.readFileSync(options, 'utf8') : '';
  const [, port = '0'] = /"-p" "(\d+)"/.exec(last) ?? [];
  return bindPort(Number(port), HOST).catch(() => bindPort(0, HOST));
}
