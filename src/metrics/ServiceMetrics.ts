import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { KeyRing } from '../keys/KeyRing';
import type { Metrics } from '../types/metrics';
import { routeTemplate } from './routeTemplate';
import { watchService, type Watched } from './watchService';

/** In seconds: from a statement by primary key to a request that waits for a full hash queue. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The methods of the routes, and of preflight requests. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);

/** The figures of one process. They stay as many as the code has names for, whatever is requested. */
export class ServiceMetrics implements Metrics {
  readonly registry = new Registry();

  private readonly requests = this.histogram(
    'http_request_duration_seconds',
    'From the head of a request to the end of its response.',
    ['method', 'route', 'status'],
  );
  private readonly events = this.counter(
    'auth_events_total',
    'Security events, by their names in the log.',
    ['event'],
  );
  private readonly refreshes = this.counter(
    'auth_refreshes_total',
    'Refresh tokens presented to /auth/refresh, by verdict.',
    ['verdict'],
  );
  private readonly hashWaits = this.histogram(
    'auth_hash_queue_wait_seconds',
    'How long a password waited for its turn to be hashed.',
  );
  private readonly hashRefusals = this.counter(
    'auth_hash_queue_refused_total',
    'Passwords refused because the queue was full, or the wait too long.',
  );
  private readonly statements = this.histogram(
    'auth_statement_duration_seconds',
    'Round trips to PostgreSQL by statement, without the wait for a connection.',
    ['statement'],
  );
  private readonly decisions = this.counter(
    'auth_limiter_decisions_total',
    'Decisions of the limits on attempts, by the limit that decided.',
    ['limit', 'decision'],
  );
  private readonly purgedRows = this.counter(
    'auth_purged_rows_total',
    'Expired rows deleted, by statement.',
    ['statement'],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  readonly requestEnded: Metrics['requestEnded'] = (request, path, status, milliseconds) => {
    const method = METHODS.has(request.method) ? request.method : 'other';
    const labels = { method, route: routeTemplate(request.route, path), status };
    this.requests.observe(labels, milliseconds / 1000);
  };

  readonly auditEvent: Metrics['auditEvent'] = (event) => {
    this.events.inc({ event });
  };

  readonly refreshed: Metrics['refreshed'] = (verdict) => {
    this.refreshes.inc({ verdict });
  };

  readonly hashStarted: Metrics['hashStarted'] = (waited) => {
    this.hashWaits.observe(waited / 1000);
  };

  readonly hashRefused: Metrics['hashRefused'] = () => {
    this.hashRefusals.inc();
  };

  readonly statement: Metrics['statement'] = async (statement, run) => {
    const startedAt = performance.now();
    try {
      return await run();
    } finally {
      this.statements.observe({ statement }, (performance.now() - startedAt) / 1000);
    }
  };

  readonly limiterDecided: Metrics['limiterDecided'] = (limit, decision) => {
    this.decisions.inc({ limit, decision });
  };

  readonly purged: Metrics['purged'] = (statement, rows) => {
    this.purgedRows.inc({ statement }, rows);
  };

  /** Adds the state of these services, and of the keys. */
  watch(services: Watched, keys: KeyRing): void {
    watchService(this.registry, services, keys);
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[] = []) {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram<Label extends string>(name: string, help: string, labelNames: Label[] = []) {
    return new Histogram({
      name,
      help,
      labelNames,
      buckets: BUCKETS,
      registers: [this.registry],
    });
  }
}
