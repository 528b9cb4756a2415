import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { PROJECT_ROOT } from '../folders.mjs';

const WINDOWS = process.platform === 'win32';

/**
 * Ends the process group $1 when the pipe on fd 3 closes, which the system does however its writer
 * ends. SIGTERM goes to ts-node-dev only, which passes it on: the service must not get it twice.
 * The service drains for less than 11 seconds: what is left then is killed. The folder $2 is removed.
 */
const LEASH = `
read -r _ <&3
kill -TERM "$1" 2>/dev/null
left=110
while kill -0 "-$1" 2>/dev/null; do
  [ $left -le 0 ] && kill -KILL "-$1" 2>/dev/null
  left=$(( left - 1 ))
  sleep 0.1
done
rm -rf "$2"
`;

/**
 * Starts the service under ts-node-dev, which restarts it when a source file changes. It ends with
 * this process, even after kill -9.
 *
 * @returns {{ isUp: () => boolean, stop: () => Promise<void> }} `isUp`: ts-node-dev runs; `stop`
 *   resolves when no process of the service is left
 */
export function startService() {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'auth-service-dev-'));
  const child = spawn(process.execPath, tsNodeDev(scratch), {
    cwd: PROJECT_ROOT,
    // A group of its own: Ctrl-C in the terminal must not reach the service before stop() does.
    detached: !WINDOWS,
    stdio: ['ignore', 'inherit', 'inherit'],
    // ts-node-dev leaves files in the temp folder.
    env: { ...process.env, TMPDIR: scratch },
  });
  const isUp = () => child.exitCode === null && child.signalCode === null;
  // On Windows the service notices by itself that ts-node-dev has ended.
  if (WINDOWS) return { isUp, stop: async () => void child.kill() };
  const leash = spawn('/bin/sh', ['-c', LEASH, 'sh', `${child.pid}`, scratch], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const gone = once(leash, 'exit');
  const stop = async () => {
    leash.stdio[3]?.destroy();
    await gone;
  };
  return { isUp, stop };
}

/**
 * The arguments for node. ts-node-dev writes its own path into a script, between quotes that it does
 * not escape; in a folder such as "it's mine" it must run from a link without them.
 * @param {string} scratch an empty folder
 */
function tsNodeDev(scratch) {
  let bin = createRequire(import.meta.url).resolve('ts-node-dev/lib/bin.js');
  const flags = [];
  if (/['"]/.test(bin)) {
    const link = path.join(scratch, 'node_modules');
    fs.symlinkSync(path.resolve(bin, '../../..'), link, 'junction');
    bin = path.join(link, 'ts-node-dev', 'lib', 'bin.js');
    flags.push('--preserve-symlinks', '--preserve-symlinks-main');
  }
  const options = ['--respawn', '--transpile-only', '--quiet', '--no-rs'];
  return [...flags, bin, ...options, 'src/server.ts'];
}
