import { randomUUID } from 'node:crypto';
import {
  createServer,
  STATUS_CODES,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import type { Duplex } from 'node:stream';

/** In milliseconds: when a slow request is cut, and how often that is checked. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 1_000,
};

const STATUS_OF_CODE: Record<string, number> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** Responds to what is not HTTP, or not in time, before there is a request for the application. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_CODE[error.code ?? ''] ?? 400;
  const title = STATUS_CODES[status] ?? '';
  const code = 'malformed-request';
  const detail = 'The request cannot be read';
  const requestId = randomUUID();
  const body = JSON.stringify({
    type: `urn:auth-service:problem:${code}`,
    title,
    status,
    detail,
    instance: requestId,
    errors: [{ type: code, code, msg: detail, path: '', location: '' }],
  });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\n` +
      `X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** An HTTP server that cuts slow clients and responds to malformed messages; it does not listen yet. */
export function createHttpServer(listener: RequestListener, options: ServerOptions = {}): Server {
  const settings = { ...TIMEOUTS, requireHostHeader: false, ...options };
  const server = createServer(settings, (req, res) => {
    // RFC 9112 section 3.2; Node's own refusal has no body.
    const target = req.url ?? '';
    if (req.httpVersion === '1.1' && req.headers.host === undefined)
      refuse(new Error('no host'), req.socket);
    else if (!/^[/*]/.test(target) && !URL.canParse(target))
      refuse(new Error('no target'), req.socket);
    else listener(req, res);
  });
  server.on('clientError', refuse);
  // Node's own responses are a 417 without a body, and none at all.
  server.on('checkExpectation', (req) => {
    refuse(new Error('expectation'), req.socket);
  });
  server.on('connect', (_req, socket) => {
    refuse(new Error('connect'), socket);
  });
  return server;
}
