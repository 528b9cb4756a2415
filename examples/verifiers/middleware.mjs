import { once } from 'node:events';
import express from 'express';
import { portOf } from '../../tests/harness/portOf.js';

/**
 * @typedef {object} Verifier
 * @property {(token: string) => Promise<string>} verify resolves to the subject, rejects if it
 * refuses the token
 * @property {() => void | Promise<void>} [stop]
 */

/**
 * A verifier that is an Express application behind a guard.
 *
 * @param {import('express').Handler} guard
 * @param {(req: import('express').Request) => string} subjectOf
 * @returns {Promise<Verifier>}
 */
export async function verifyBehind(guard, subjectOf) {
  const app = express();
  app.get('/', guard, (req, res) => {
    res.send(subjectOf(req));
  });
  app.use(respondToError);
  const server = app.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return { verify: (token) => ask(`http://127.0.0.1:${portOf(server)}/`, token) };
}

/**
 * @param {Error & { status?: number }} error
 * @param {unknown} _req
 * @param {import('express').Response} res
 * @param {unknown} _next
 */
// eslint-disable-next-line no-unused-vars -- Express knows an error handler by its four arguments
function respondToError(error, _req, res, _next) {
  res.status(error.status ?? 500).send(error.message);
}

/**
 * The body of the response to a bearer of the token; rejects on 401.
 *
 * @param {string} url
 * @param {string} token
 */
export async function ask(url, token) {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  const body = await response.text();
  if (response.status === 200) return body;
  if (response.status === 401) throw new Error(body);
  throw new UnexpectedAnswer(`${response.status} ${body}`);
}

/** The verifier fails, not the token. */
export class UnexpectedAnswer extends Error {
  /** @override */
  name = 'UnexpectedAnswer';
}
