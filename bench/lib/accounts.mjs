import os from 'node:os';
import { cookiesOf } from '../../tests/harness/cookiesOf.js';

/** The web page that the requests come from: another origin, so that CORS is measured too. */
export const CLIENT_ORIGIN = 'http://localhost:5173';

export const BROWSER_HEADERS = {
  origin: CLIENT_ORIGIN,
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'application/json',
};
export const JSON_HEADERS = { ...BROWSER_HEADERS, 'content-type': 'application/json' };

export const PASSWORD = 'correct horse battery staple';

/** Parallel registrations; more would only wait for the password hash. */
const BATCH = os.availableParallelism();

/**
 * Signs up one user and stays signed in.
 * @param {string} url
 * @param {number} number
 */
async function signUp(url, number) {
  const email = `user${number}@example.com`;
  const response = await fetch(url, {
    method: 'POST',
    headers: JSON_HEADERS,
    body: JSON.stringify({
      firstName: 'Ada',
      lastName: 'Lovelace',
      name: 'Ada Lovelace',
      email,
      password: PASSWORD,
    }),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const cookies = Object.entries(cookiesOf(response.headers.getSetCookie()));
  return { email, cookies: Object.fromEntries(cookies.map(([name, { value }]) => [name, value])) };
}

/**
 * Signs up users, each with a session.
 * @param {string} url
 * @param {number} count
 * @param {number} [taken] this many users exist already
 */
export async function signUpAll(url, count, taken = 0) {
  const accounts = [];
  while (accounts.length < count) {
    const size = Math.min(BATCH, count - accounts.length);
    const numbers = Array.from({ length: size }, (_value, i) => taken + accounts.length + i + 1);
    accounts.push(...(await Promise.all(numbers.map((number) => signUp(url, number)))));
  }
  return accounts;
}
