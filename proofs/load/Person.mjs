import { randomUUID } from 'node:crypto';
import { Browser } from './Browser.mjs';

/**
 * @typedef {import('./Browser.mjs').Tokens} Tokens
 * @typedef {(browser: Browser, method: 'GET' | 'POST', route: string,
 *   options?: Parameters<Browser['send']>[3]) => ReturnType<Browser['send']>} Send
 */

const PASSWORD = 'correct horse battery';

/**
 * An honest client, who keeps what was acknowledged: the account, the live session with its last
 * tokens, and the tokens of sessions that have ended.
 */
export class Person {
  #browser = new Browser();
  #send;
  email = `${randomUUID()}@example.com`;
  /** @type {number | undefined} of the account, once it was acknowledged */
  userId;
  /** @type {Tokens | undefined} of the live session */
  tokens;
  /** @type {Tokens[]} */
  ended = [];
  #isProven = false;
  #isLeaving = false;

  /** @param {Send} send */
  constructor(send) {
    this.#send = send;
  }

  /** Resolves to whether it was acknowledged. */
  async register() {
    const name = { firstName: 'Ada', lastName: 'Lovelace' };
    const body = { ...name, email: this.email, password: PASSWORD };
    const response = await this.#request('POST', '/auth/register', { body });
    if (response.status === 201) this.userId = response.body.userId;
    this.#keepTokens(response);
    return response.status === 201;
  }

  /** Resolves to whether it was acknowledged. */
  async login() {
    const body = { email: this.email, password: PASSWORD };
    const response = await this.#request('POST', '/auth/login', { body });
    this.#keepTokens(response);
    return response.status === 200 && response.body.userId === this.userId;
  }

  /** Resolves to whether it was acknowledged. */
  async refresh() {
    const response = await this.#request('POST', '/auth/refresh', { tokens: this.tokens });
    this.#keepTokens(response);
    return response.status === 200;
  }

  async self() {
    await this.#request('GET', '/auth/self', { tokens: this.tokens });
  }

  async logout() {
    const { tokens } = this;
    this.#isLeaving = true;
    const { status } = await this.#request('POST', '/auth/logout', { tokens });
    if (status !== 200 || tokens === undefined) return;
    this.ended.push(tokens);
    this.tokens = undefined;
    this.#isLeaving = false;
  }

  /** Any one thing that people do. */
  async act() {
    if (this.tokens === undefined) return this.login();
    // The session may have ended although there was no response.
    if (this.#isLeaving) return this.logout();
    const chance = Math.random();
    if (chance < 0.5) return this.self();
    return chance < 0.93 ? this.refresh() : this.logout();
  }

  /** What was acknowledged and is not there, in words. */
  async losses() {
    const lost = [];
    if (this.#isLeaving) await this.logout();
    if (this.tokens && !(await this.refresh())) lost.push('an acknowledged refresh');
    // Once is enough, since each takes a password hash.
    if (!this.#isProven && !(await this.login())) lost.push('an acknowledged registration');
    this.#isProven = true;
    for (const tokens of this.ended) {
      const self = await this.#request('GET', '/auth/self', { tokens });
      const refresh = await this.#request('POST', '/auth/refresh', { tokens });
      if (self.status !== 401 || refresh.status !== 401) lost.push('an acknowledged logout');
    }
    return lost;
  }

  leave() {
    this.#browser.close();
  }

  /** @param {Awaited<ReturnType<Browser['send']>>} response */
  #keepTokens({ status, tokens }) {
    if (status === 200 || status === 201) this.tokens = tokens;
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} route
   * @param {Parameters<Browser['send']>[3]} options
   */
  #request(method, route, options) {
    return this.#send(this.#browser, method, route, options);
  }
}
