import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { AggregatorRegistry, Counter, Registry } from 'prom-client';

type Report = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** In milliseconds: a worker that takes longer counts with its last report. */
const PATIENCE = 1_000;

const isCumulative = ({ type }: Report[number]) => ['counter', 'histogram'].includes(String(type));

/**
 * The figures of all workers as one set, in the primary process.
 *
 * Prometheus takes a counter that falls for one that started again, and counts everything in it a second
 * time. So what a worker has counted stays in the sum when it ends, or does not report.
 */
export class WorkerFigures {
  private readonly reports = new Map<number, Report>();
  private ended: Report = [];
  private readonly own = new Registry();
  private readonly restarts = new Counter({
    name: 'auth_worker_restarts_total',
    help: 'Workers that ended by themselves and were replaced.',
    registers: [this.own],
  });

  constructor() {
    cluster.on('message', (worker, report: Report) => {
      if (!worker.isDead()) this.reports.set(worker.id, report);
    });
    cluster.on('exit', ({ id }) => {
      const last = this.reports.get(id) ?? [];
      this.reports.delete(id);
      this.ended = sumOf([this.ended, last.filter(isCumulative)]).getMetricsAsArray() as Report;
    });
  }

  readonly workerRestarted = (): void => {
    this.restarts.inc();
  };

  /** In Prometheus's text format. */
  readonly read = async (): Promise<string> => {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    await Promise.all(workers.map(ask));
    const own = await this.own.getMetricsAsJSON();
    return sumOf([...this.reports.values(), this.ended, own]).metrics();
  };
}

const sumOf = (reports: Report[]) => AggregatorRegistry.aggregate(reports);

/** Resolves when the worker has reported, or does not in time. */
async function ask(worker: Worker): Promise<void> {
  const reported = once(worker, 'message', { signal: AbortSignal.timeout(PATIENCE) });
  // Without a callback, a worker that is about to end would end this process with an error event.
  worker.send('metrics', () => undefined);
  await reported.catch(() => undefined);
}
