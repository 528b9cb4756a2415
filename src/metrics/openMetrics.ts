import cluster from 'node:cluster';
import type { Config } from '../config';
import { ServiceMetrics } from './ServiceMetrics';
import { serveMetrics } from './serveMetrics';

/**
 * The figures of this process, which can be read from now on: on the metrics port, or by the primary
 * process, which listens there for all workers.
 *
 * @throws {Error} if the port cannot be used, with what to do about it.
 */
export async function openMetrics(
  settings: NonNullable<Config['metrics']>,
): Promise<ServiceMetrics> {
  const metrics = new ServiceMetrics();
  const { registry } = metrics;
  if (cluster.isPrimary) await serveMetrics(settings, () => registry.metrics());
  else
    process.on('message', () => {
      void registry.getMetricsAsJSON().then((report) => {
        // The primary process may be gone meanwhile, and requests are still in flight here.
        if (process.connected) process.send?.(report);
      });
    });
  return metrics;
}
