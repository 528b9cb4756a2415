import http from 'node:http';
import { text } from 'node:stream/consumers';
import { cookieHeader } from '../../tests/harness/cookieHeader.js';
import { tokensOf } from '../../tests/harness/tokensOf.js';

/** @typedef {Parameters<typeof cookieHeader>[0]} Tokens */

/** In milliseconds: longer than any response may take. */
const PATIENCE = 15_000;

let addresses = 0;

/** The connections of one client, which has an address of its own on loopback. */
export class Browser {
  #agent;

  constructor() {
    addresses += 1;
    const localAddress = `127.1.${addresses >> 8}.${addresses & 255}`;
    // Per connection, not per request: Node reuses a connection only where this is the same.
    this.#agent = new http.Agent({ keepAlive: true, localAddress });
  }

  /**
   * @param {string} origin
   * @param {'GET' | 'POST'} method
   * @param {string} route
   * @param {{ tokens?: Tokens | undefined, body?: object | undefined }} [options]
   * @returns {Promise<{ status: number, body: Record<string, any>, tokens: Tokens }>} status 0: no response
   */
  async send(origin, method, route, { tokens = {}, body } = {}) {
    const request = http.request(origin + route, {
      method,
      agent: this.#agent,
      headers: { Cookie: cookieHeader(tokens), 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(PATIENCE),
    });
    try {
      const response = await new Promise((resolve, reject) => {
        request.on('response', resolve).on('error', reject);
        request.end(body && JSON.stringify(body));
      });
      const content = await text(response);
      return {
        status: response.statusCode,
        body: content === '' ? {} : JSON.parse(content),
        tokens: tokensOf(response.headers['set-cookie'] ?? []),
      };
    } catch (error) {
      return { status: 0, body: { title: String(error) }, tokens: {} };
    }
  }

  close() {
    this.#agent.destroy();
  }
}
