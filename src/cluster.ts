import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from './config/logger';

/** The wait before a crashed worker is replaced, in milliseconds. */
const RESTART_DELAY = 1_000;

/**
 * Runs `count` workers on one port, replaces those that crash, and forwards signals. The process ends with
 * its last worker: after a signal, or with code 1 if a worker cannot start.
 */
export function runWorkers(count: number, logger: Logger, onRestart?: () => void): void {
  let stopping = false;
  let failed = false;
  const isStopping = () => stopping;

  const start = () => {
    const worker = cluster.fork();
    let listened = false;
    worker.once('listening', () => {
      listened = true;
    });
    worker.once('exit', (code, signal) => {
      void replace(worker, listened, code, signal);
    });
  };

  const replace = async (worker: Worker, listened: boolean, code: number, signal: string) => {
    if (listened && !isStopping()) {
      logger.error('a worker ended', { pid: worker.process.pid, code, signal });
      await delay(RESTART_DELAY);
    }
    if (listened && !isStopping()) {
      onRestart?.();
      start();
      return;
    }
    // What prevents one worker from starting prevents all of them. The worker has logged the reason.
    failed ||= !isStopping();
    stop('SIGTERM');
    if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(failed ? 1 : 0);
  };

  const signalAll = (signal: NodeJS.Signals) => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal);
  };
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    signalAll(signal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', signalAll);

  for (let index = 0; index < count; index += 1) start();
}
