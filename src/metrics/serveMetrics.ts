import { createServer } from 'node:http';
import { Registry } from 'prom-client';
import type { Config } from '../config';
import { listening } from '../http/listening';

const MAX_CONNECTIONS = 50;

/**
 * Responds to `GET /metrics` on a port of its own until the process ends, so that the figures can be read
 * while it drains.
 *
 * @throws {Error} if the port cannot be used, with what to do about it.
 */
export async function serveMetrics(
  { port, host }: NonNullable<Config['metrics']>,
  read: () => Promise<string>,
): Promise<void> {
  const server = createServer((req, res) => {
    if (req.method !== 'GET' || req.url?.replace(/\?.*/, '') !== '/metrics') {
      res.writeHead(404).end();
      return;
    }
    read().then(
      (figures) =>
        res.writeHead(200, { 'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE }).end(figures),
      () => res.writeHead(500).end(),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, { port, host, setting: 'METRICS_PORT' });
}
