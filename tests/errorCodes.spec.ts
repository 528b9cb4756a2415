import { readFileSync } from 'node:fs';
import express, { type RequestHandler } from 'express';
import request, { type Test } from 'supertest';
import { createLogger } from 'winston';
import { FIELD_ERROR_CODES, type FieldErrorCode } from '../src/errors/fieldErrorCodes';
import { PROBLEM_CODES, problem } from '../src/errors/problems';
import { noMetrics } from '../src/metrics/noMetrics';
import { errorHandler } from '../src/middleware/errorHandler';
import { requestContext } from '../src/middleware/requestContext';
import { AuditLog } from '../src/service/AuditLog';
import { aUser, clientOf, tokensOf, type Tokens } from './support/client';
import { expectProblem, type Problem } from './support/problem';
import { startService, type TestService } from './support/service';

type Entry = Pick<Problem['errors'][number], 'code' | 'path' | 'location'>;

describe('the codes of errors', () => {
  const user = aUser();
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  let tokens: Tokens;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
    tokens = tokensOf(await client.register(user).expect(201));
  });
  afterAll(() => service.stop());

  const registerWith = (field: string, value: unknown) => () =>
    client.register({ ...aUser(), [field]: value });

  /** A request for each code; a code without one does not compile. */
  const provoked: Record<FieldErrorCode, [path: string, attempt: () => Test, location?: string]> = {
    required: ['email', registerWith('email', undefined)],
    blank: ['firstName', registerWith('firstName', '\u200b')],
    'wrong-type': ['lastName', registerWith('lastName', 7)],
    'too-short': ['password', registerWith('password', 'short')],
    'too-long': ['password', registerWith('password', 'x'.repeat(73))],
    'invalid-characters': ['email', registerWith('email', 'ada@exa\u200bmple.com')],
    'invalid-email': ['email', registerWith('email', 'ada')],
    'unknown-value': [
      'scope',
      () => client.send('post', '/auth/logout?scope=none', tokens),
      'query',
    ],
    'too-common': ['password', registerWith('password', 'password')],
    'contains-personal-data': ['password', registerWith('password', 'my name is lovelace')],
    taken: ['email', registerWith('email', user.email)],
    'wrong-password': [
      'currentPassword',
      () =>
        client
          .send('patch', '/auth/password', tokens)
          .send({ currentPassword: 'not this one', newPassword: 'another horse battery' }),
    ],
  };

  const only = ({ errors }: Problem): Entry[] =>
    errors.map(({ code, path, location }) => ({ code, path, location }));
  const problemOf = async (attempt: Test) => {
    const res = await attempt;
    return expectProblem(res, res.status);
  };

  describe.each(FIELD_ERROR_CODES)('when a field is at fault: %s', (code) => {
    it('sends the code, the path and the location', async () => {
      const [path, attempt, location = 'body'] = provoked[code];
      expect(only(await problemOf(attempt()))).toEqual([{ code, path, location }]);
    });
  });

  it('are listed in the documentation', () => {
    const page = readFileSync('docs/input.md', 'utf8');
    const listed = (heading: string) => {
      const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
      return Array.from(section.matchAll(/^\| `([a-z-]+)`/gm), ([, code]) => code);
    };
    expect(listed('Codes of fields')).toEqual(FIELD_ERROR_CODES);
  });

  describe('when the password to delete an account is wrong', () => {
    it('names the field', async () => {
      const attempt = client
        .send('delete', '/auth/self', tokens)
        .send({ password: 'not this one' });
      expect(only(await problemOf(attempt))).toEqual([
        { code: 'wrong-password', path: 'password', location: 'body' },
      ]);
    });
  });

  describe('when a login fails', () => {
    it('names no field, because that would reveal which one is wrong', async () => {
      const expected = [{ code: 'wrong-credentials', path: '', location: '' }];
      for (const email of [user.email, aUser().email]) {
        const attempt = client.send('post', '/auth/login', tokens);
        expect(only(await problemOf(attempt.send({ email, password: 'not this one' })))).toEqual(
          expected,
        );
      }
    });
  });

  describe.each(PROBLEM_CODES)('when a request fails with %s', (code) => {
    it('sends that code if no field is at fault', async () => {
      const fail: RequestHandler = () => {
        throw problem(code);
      };
      const logger = createLogger({ silent: true });
      const app = express()
        .use(requestContext(logger, noMetrics), fail)
        .use(errorHandler(logger, new AuditLog(logger, noMetrics)));
      const res = await request(app).get('/');
      const { type, errors } = JSON.parse(res.text) as Problem;
      expect(type).toBe(`urn:auth-service:problem:${code}`);
      expect(errors).toMatchObject([{ type: code, code, path: '', location: '' }]);
    });
  });
});
