import { once } from 'node:events';
import express from 'express';

/**
 * A verifier that asks an Express application behind this guard.
 *
 * @returns {Promise<(token: string) => Promise<string>>} resolves to the subject, rejects on 401
 */
export async function verifyBehind(guard, subjectOf) {
  const app = express();
  app.get('/', guard, (req, res) => res.send(subjectOf(req)));
  // eslint-disable-next-line no-unused-vars -- Express knows an error handler by its four arguments
  app.use((error, _req, res, _next) => {
    res.status(error.status ?? 500).send(error.message);
  });
  const server = app.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return (token) => ask(`http://127.0.0.1:${server.address().port}/`, token);
}

/** The body that this address answers to a bearer of the token; rejects on 401. */
export async function ask(url, token) {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  const body = await response.text();
  if (response.status === 200) return body;
  if (response.status === 401) throw new Error(body);
  // Neither accepted nor refused: for the one who asks, no answer at all.
  throw new UnexpectedAnswer(`${response.status} ${body}`);
}

/** Something is wrong with the verifier, and not with the token. */
export class UnexpectedAnswer extends Error {
  name = 'UnexpectedAnswer';
}
