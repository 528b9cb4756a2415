import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import jwt from 'jsonwebtoken';
import { browser, plain } from './world.mjs';

/** @typedef {import('playwright-core').Page} Page */

export const PASSWORD = 'seven kettles on a shelf';

/** A person with a browser of their own, and an account. */
export class Visitor {
  /** @type {Page[]} */
  tabs = [];

  /**
   * @param {import('playwright-core').BrowserContext} context
   * @param {typeof plain} stack
   * @param {string} email
   */
  constructor(context, stack, email) {
    this.context = context;
    this.stack = stack;
    this.email = email;
  }

  /**
   * @param {object} [options]
   * @param {typeof plain} [options.stack]
   * @param {string} [options.email] of an account that exists already
   * @param {import('playwright-core').BrowserContextOptions} [options.context]
   */
  static async arrive({ stack = plain, email, context: options } = {}) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
    context.setDefaultTimeout(20_000);
    return new Visitor(context, stack, email ?? `ada.${randomUUID()}@example.com`);
  }

  /** Registers without the app. @param {Parameters<typeof Visitor.arrive>[0]} [options] */
  static async signedIn(options = {}) {
    const visitor = await Visitor.arrive(options);
    await visitor.enter(options.email === undefined ? 'register' : 'login');
    return visitor;
  }

  /** @param {'register' | 'login'} how */
  async enter(how) {
    const { email } = this;
    const data = { firstName: 'Ada', lastName: 'Lovelace', email, password: PASSWORD };
    const response = await this.context.request.post(`${this.stack.auth.origin}/auth/${how}`, {
      data,
    });
    if (!response.ok()) throw new Error(await response.text());
  }

  /** Opens the app in a new tab. */
  async open(view = 'profile') {
    const page = await this.context.newPage();
    this.tabs.push(page);
    await page.goto(`${this.stack.app.origin}/#/${view}`);
    return page;
  }

  /** Several tabs that show the profile. @param {number} count */
  async openMany(count) {
    for (let n = 0; n < count; n += 1) await isSignedIn(await this.open());
    return this.tabs;
  }

  /** @param {string} name */
  async cookie(name) {
    const cookies = await this.context.cookies(this.stack.auth.origin);
    return cookies.find((cookie) => cookie.name === name);
  }

  /** Replaces the access token by the same one with an earlier end. */
  async expireAccessToken() {
    const cookie = await this.cookie('access_token');
    if (!cookie) throw new Error('there is no access token');
    const decoded = jwt.decode(cookie.value, { complete: true });
    if (!decoded) throw new Error('the access token cannot be read');
    const now = Math.floor(Date.now() / 1000);
    const key = fs.readFileSync(path.join(this.stack.certs, 'private.pem'));
    const value = jwt.sign({ ...Object(decoded.payload), iat: now - 3700, exp: now - 100 }, key, {
      algorithm: 'RS256',
      header: { ...decoded.header, alg: 'RS256' },
    });
    await this.context.addCookies([{ ...cookie, value }]);
  }

  leave() {
    return this.context.close();
  }
}

/** Waits until a page shows the profile. @param {Page} page */
export const isSignedIn = (page) => page.getByRole('heading', { name: 'Hello, Ada' }).waitFor();

/** Waits until a page shows the login form. @param {Page} page */
export const isSignedOut = (page) => page.getByRole('heading', { name: 'Log in' }).waitFor();

/** @param {Page} page @param {string} name */
export const button = (page, name) =>
  page.getByRole('main').getByRole('button', { name, exact: true });
