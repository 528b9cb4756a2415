import type { Config } from '../config';
import { serveMetrics } from './serveMetrics';
import { WorkerFigures } from './WorkerFigures';

/**
 * The figures of the workers that are started from now on, on the metrics port.
 *
 * @throws {Error} if the port cannot be used, with what to do about it.
 */
export async function openWorkerFigures(
  settings: NonNullable<Config['metrics']>,
): Promise<WorkerFigures> {
  const figures = new WorkerFigures();
  await serveMetrics(settings, figures.read);
  return figures;
}
