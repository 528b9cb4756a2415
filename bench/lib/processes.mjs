import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between SIGTERM and SIGKILL, in milliseconds; the service itself drains for at most 9 s. */
const PATIENCE = 10_000;
const READY_TIMEOUT = 30_000;

/** `getconf CLK_TCK`: the unit of /proc/<pid>/stat, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** @param {import('node:child_process').ChildProcess} child */
function keep(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/**
 * Starts a Node program; `logFile` takes its standard output and error.
 * @param {object} options
 * @param {string} options.program
 * @param {NodeJS.ProcessEnv} options.env
 * @param {string} options.logFile
 * @param {string[]} [options.nodeOptions]
 */
export function startProgram({ program, env, logFile, nodeOptions = [] }) {
  const log = fs.openSync(logFile, 'a');
  const child = spawn(process.execPath, [...nodeOptions, program], {
    env,
    stdio: ['ignore', log, log],
  });
  fs.closeSync(log);
  return keep(child);
}

/** Starts a Node module that ends with this process, and talks with it. */
export function startModule({ program, env = process.env, logFile }) {
  const log = fs.openSync(logFile, 'a');
  const child = fork(program, { env, stdio: ['ignore', log, log, 'ipc'] });
  fs.closeSync(log);
  return keep(child);
}

/**
 * Ends a process that was started here, in peace or else by force.
 * @param {import('node:child_process').ChildProcess} child
 */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  await ended;
  clearTimeout(timer);
}

export async function stopAll() {
  await Promise.all([...running].map(stop));
}

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A port that is free on loopback just now. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Resolves when the address answers with a status that `isReady` takes.
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} url
 * @param {string} logFile named in the error
 * @param {(status: number) => boolean} [isReady]
 */
export async function untilReady(child, url, logFile, isReady = () => true) {
  const deadline = Date.now() + READY_TIMEOUT;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    try {
      const response = await fetch(url);
      await response.arrayBuffer();
      if (isReady(response.status)) return;
    } catch {
      // Not listening yet.
    }
    await sleep(5);
  }
  throw new Error(`${url} does not answer:\n${fs.readFileSync(logFile, 'utf8').slice(-2_000)}`);
}

/** @param {number} pid @returns {number[]} the process and all that descend from it */
function family(pid) {
  try {
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(family)];
  } catch {
    return [];
  }
}

/** @param {number} pid */
function cpuTicks(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before may hold spaces; after it come state (3), …, then utime, stime, and both of
    // the children that have ended (14 to 17): PostgreSQL's backends end with idle connections.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    return 0;
  }
}

/**
 * CPU time that a process and its descendants have used, in seconds; NaN where there is no /proc.
 * @param {number} pid
 */
export function cpuSeconds(pid) {
  const pids = family(pid);
  if (pids.length === 0) return NaN;
  return pids.reduce((sum, member) => sum + cpuTicks(member), 0) / TICKS_PER_SECOND;
}

/**
 * Resident memory of the largest process of a family, in MiB; NaN where there is no /proc.
 * @param {number} pid
 */
export function residentMiB(pid) {
  const sizes = family(pid).map((member) => {
    const status = fs.readFileSync(`/proc/${member}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  });
  return sizes.length === 0 ? NaN : Math.max(...sizes);
}
