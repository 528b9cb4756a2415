import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';
import { violationsOf, type Exchange } from './violations';

const found: string[] = [];

function expectNoViolation(): void {
  expect(found.splice(0)).toEqual([]);
}

// Also after what a spec requests outside of its tests.
afterEach(expectNoViolation);
afterAll(expectNoViolation);

/** Fails the current test if this response differs from the OpenAPI document. */
export function observe(exchange: Exchange): void {
  found.push(...violationsOf(exchange));
}

/** Observes every response of an application. */
export function observed(app: Express): Express {
  const application = app as unknown as {
    handle(req: IncomingMessage, res: ServerResponse, next: () => void): void;
  };
  const handle = application.handle.bind(app);
  application.handle = (req, res, next) => {
    observeResponse(req, res);
    handle(req, res, next);
  };
  return app;
}

function observeResponse({ method = '', url = '' }: IncomingMessage, res: ServerResponse): void {
  const chunks: Buffer[] = [];
  const keep = (chunk: unknown) => {
    if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) chunks.push(Buffer.from(chunk));
  };
  const write = res.write.bind(res) as (...args: unknown[]) => boolean;
  const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse;
  res.write = (...args: unknown[]) => {
    keep(args[0]);
    return write(...args);
  };
  res.end = (...args: unknown[]) => {
    keep(args[0]);
    const body = Buffer.concat(chunks).toString();
    observe({ method, url, status: res.statusCode, headers: res.getHeaders(), body });
    return end(...args);
  };
}
