import type { Metrics } from '../types/metrics';

const ignore = () => undefined;

/** Measures nothing, for a service without METRICS_PORT. */
export const noMetrics: Metrics = {
  requestEnded: ignore,
  auditEvent: ignore,
  refreshed: ignore,
  hashStarted: ignore,
  hashRefused: ignore,
  statement: (_name, run) => run(),
  limiterDecided: ignore,
  purged: ignore,
};
