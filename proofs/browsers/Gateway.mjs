import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { portOf } from '../../tests/harness/portOf.js';
import { until } from '../../tests/harness/until.js';

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/**
 * What happens to one request. `cut`: the server's response is lost on the way back. `respond`: a response
 * of the gateway instead. `until`: it is held back before it reaches the server.
 *
 * @typedef {{ cut?: true, respond?: { status: number, headers?: http.OutgoingHttpHeaders }, until?: Promise<void> }} Fault
 */

/** What stands between browsers and a server: a load balancer, with TLS or without, and a network that fails. */
export class Gateway {
  /** @type {{ route: string, status: number | undefined }[]} what has passed */
  passed = [];
  /** @type {Map<string, Fault[]>} */
  #faults = new Map();
  #server;
  #held = 0;
  /** Where the requests go. */
  target = '';

  /** @param {{ certificate: string, key: string }} [tls] */
  constructor(tls) {
    /** @type {http.RequestListener} */
    const listener = (req, res) => void this.#pass(req, res).catch(() => req.socket.destroy());
    this.#server = tls
      ? https.createServer({ cert: tls.certificate, key: tls.key }, listener)
      : http.createServer(listener);
    this.scheme = tls ? 'https' : 'http';
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get origin() {
    return `${this.scheme}://localhost:${portOf(this.#server)}`;
  }

  /**
   * Applies faults to the next requests of a route, one each.
   *
   * @param {string} route `POST /auth/refresh`
   * @param {...Fault} faults
   */
  next(route, ...faults) {
    this.#faults.set(route, faults);
  }

  /** Waits until requests are held back. @param {number} count */
  waiting(count) {
    return until(() => this.#held === count, `${count} requests that wait`);
  }

  /** Forgets what has passed, and the faults. */
  reset() {
    this.passed = [];
    this.#faults.clear();
  }

  /** How many requests of a route have passed, also those whose response was lost. */
  count(/** @type {string} */ route) {
    return this.passed.filter((one) => one.route === route).length;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /**
   * @param {http.IncomingMessage} req
   * @param {http.ServerResponse} res
   */
  async #pass(req, res) {
    const { method, url = '/', headers } = req;
    const route = `${method} ${new URL(url, this.origin).pathname}`;
    const body = await buffer(req);
    const fault = this.#faults.get(route)?.shift() ?? {};
    // A browser repeats a request by itself if a connection that it uses again fails.
    res.setHeader('Connection', 'close');
    if (fault.respond) {
      const { status, headers: own } = fault.respond;
      this.passed.push({ route, status });
      res.writeHead(status, own).end();
      return;
    }
    if (fault.until) {
      this.#held += 1;
      await fault.until;
      this.#held -= 1;
    }
    const request = http.request(new URL(url, this.target), {
      method,
      headers: { ...headers, connection: 'close' },
    });
    request.end(body);
    const [response] = /** @type {[http.IncomingMessage]} */ (await once(request, 'response'));
    const content = await buffer(response);
    this.passed.push({ route, status: response.statusCode });
    if (fault.cut) {
      req.socket.destroy();
      return;
    }
    for (const [name, value] of Object.entries(response.headers))
      if (value !== undefined && !HOP_BY_HOP.has(name)) res.setHeader(name, value);
    res.writeHead(response.statusCode ?? 502).end(content);
  }
}
