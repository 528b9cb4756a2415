import { randomUUID } from 'node:crypto';
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config';
import type { Logger } from '../config/logger';
import { problemBody } from '../errors/problemBody';
import { problem, type ProblemCode } from '../errors/problems';
import { Pipeline } from './Pipeline';
import { protectiveHeaders } from './protectiveHeaders';
import { RefusalLog } from './RefusalLog';

const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 1_000,
};
/** In milliseconds without any traffic during a request or a response. */
const STALLED = 30_000;
/** The time for a refused client to read the response, in milliseconds. */
const LINGER = 2_000;
const MAX_HEADERS = 100;
/** Each further one closes the connection with the oldest last request, preferably an idle one. */
const MAX_CONNECTIONS = 1_000;

export interface HttpServerOptions extends ServerOptions {
  environment: Config['environment'];
  logger: Logger;
}

/**
 * An HTTP server that does not listen yet. It bounds connections, pipelined requests, headers and slow
 * clients, so that none of them costs unbounded memory, and it responds to what is not HTTP.
 */
export function createHttpServer(listener: RequestListener, options: HttpServerOptions): Server {
  const { environment, logger, ...settings } = options;
  const refusals = new RefusalLog(logger);
  const headers = protectiveHeaders(environment);
  const server = createServer({ ...TIMEOUTS, requireHostHeader: false, ...settings });
  server.timeout = STALLED;
  // One more than allowed, because Node silently drops the rest.
  server.maxHeadersCount = MAX_HEADERS + 1;

  /** By open connection, the least recently used first. */
  const pipelines = new Map<Socket, Pipeline>();

  const refuse = (socket: Socket, code: ProblemCode, res?: ServerResponse) => {
    const error = problem(code);
    const requestId = String(res?.getHeader('X-Request-Id') ?? randomUUID());
    const { status } = error;
    refusals.record(socket.remoteAddress, { status, code, requestId });
    const body = JSON.stringify(problemBody(error, requestId));
    const fields = new Map([
      ...headers,
      ['Cache-Control', 'no-store'],
      ['Connection', 'close'],
      ['Content-Length', String(Buffer.byteLength(body))],
      ['Content-Type', 'application/problem+json; charset=utf-8'],
      ['Date', new Date().toUTCString()],
      ['X-Request-Id', requestId],
    ]);
    const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER).unref();
  };
  const closeStalest = () => {
    const open = [...pipelines];
    const [socket] = open.find(([, { isHandling }]) => !isHandling) ?? open[0] ?? [];
    if (!socket) return;
    const requestId = randomUUID();
    const code = 'too-many-connections';
    refusals.record(socket.remoteAddress, { status: 'closed', code, requestId });
    pipelines.delete(socket);
    socket.destroy();
  };
  const receive = (req: IncomingMessage, res: ServerResponse, fault?: ProblemCode) => {
    const { socket } = req;
    const pipeline = pipelines.get(socket);
    if (!pipeline || socket.destroyed) return;
    pipelines.delete(socket);
    pipelines.set(socket, pipeline);
    pipeline.add(req, res, () => {
      if (fault) refuse(socket, fault, res);
      else listener(req, res);
    });
  };

  server.on('connection', (socket) => {
    // Node removes its listener after CONNECT, and an unhandled error event ends the process.
    socket.on('error', () => undefined);
    socket.once('close', () => pipelines.delete(socket));
    pipelines.set(socket, new Pipeline(socket));
    if (pipelines.size > MAX_CONNECTIONS) closeStalest();
  });
  server.on('request', (req, res) => {
    receive(req, res, faultOf(req));
  });
  // Node itself would send a 417 without a body, and nothing to CONNECT.
  server.on('checkExpectation', (req, res) => {
    receive(req, res, 'unknown-expectation');
  });
  server.on('connect', (_req, socket: Socket) => {
    pipelines.get(socket)?.fail((res) => {
      refuse(socket, 'malformed-request', res);
    });
  });
  server.on('clientError', (error, socket: Socket) => {
    const code = codeOf(error);
    if (code === undefined || !socket.writable) socket.destroy();
    else
      pipelines.get(socket)?.fail((res) => {
        refuse(socket, code, res);
      });
  });
  return server;
}

/** What is wrong with a request that Node accepts (RFC 9112 section 3.2). */
function faultOf({ headers, httpVersion, rawHeaders, url = '' }: IncomingMessage) {
  if (rawHeaders.length > 2 * MAX_HEADERS) return 'headers-too-large';
  if (httpVersion === '1.1' && headers.host === undefined) return 'malformed-request';
  if (!/^[/*]/.test(url) && !URL.canParse(url)) return 'malformed-request';
  return undefined;
}

/** Undefined if the connection itself has failed. */
function codeOf({ code = '' }: NodeJS.ErrnoException): ProblemCode | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  return code.startsWith('HPE_') ? 'malformed-request' : undefined;
}
