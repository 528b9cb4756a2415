import type { Response } from 'supertest';
import { FIELD_ERROR_CODES } from '../../src/errors/fieldErrorCodes';
import { PROBLEM_CODES } from '../../src/errors/problems';

/** The members of every error body. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors: { type: string; code: string; msg: string; path: string; location: string }[];
}

/** Parts of a stack, an SQL statement, a driver or a file of the service. */
const INNARDS =
  /\bat .+:\d+|node_modules|\.ts\b|SELECT |INSERT |UPDATE |relation "|SyntaxError|Unexpected token|ECONN|127\.0\.0\.1|\$2[aby]\$/;

const text = expect.stringMatching(/\S/) as string;

/** Expects an error with this status in the contract's shape; returns its body. */
export function expectProblem(res: Response, status: number): Problem {
  expect(res.status).toBe(status);
  expect(res.headers['content-type']).toMatch(/^application\/problem\+json(;|$)/);
  const body = JSON.parse(res.text) as Problem;
  expect(body).toStrictEqual({
    type: text,
    title: text,
    status,
    detail: text,
    instance: text,
    errors: expect.any(Array) as unknown,
  });
  expect(body.errors.length).toBeGreaterThan(0);
  for (const error of body.errors) {
    expect(error).toStrictEqual({
      type: text,
      code: text,
      msg: text,
      path: expect.any(String) as string,
      location: expect.any(String) as string,
    });
    expect(error.path === '' ? PROBLEM_CODES : FIELD_ERROR_CODES).toContain(error.code);
  }
  expect(body.instance).toBe(res.headers['x-request-id']);
  expect(res.text).not.toMatch(INNARDS);
  if (status === 401) expect(res.headers['www-authenticate']).toMatch(/^Bearer\b/);
  if (status === 405) expect(res.headers.allow).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
  if (status === 503) expect(res.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  return body;
}
