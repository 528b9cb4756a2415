import { IncomingMessage, ServerResponse, type ServerOptions } from 'node:http';
import type { Express } from 'express';

/**
 * Options for the one server of this application: it makes requests and responses that are Express's
 * own from the beginning.
 *
 * Express gives those of any other server another prototype, one by one, and V8 then runs all code
 * that touches them without its optimisations: bare Express takes five times the processor time in
 * Node 20 and 22, and a third more in Node 24.
 */
export function expressMessages(
  app: Express,
): Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'> {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse<R extends IncomingMessage> extends ServerResponse<R> {}
  Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  // What a request has already, Express does not set.
  Object.assign(app, { request: ExpressRequest.prototype, response: ExpressResponse.prototype });
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
}
