import { randomUUID } from 'node:crypto';
import type { Express } from 'express';
import request, { type Response } from 'supertest';
import type { ProblemCode } from '../../src/errors/problems';
import { cookieHeader } from '../harness/cookieHeader';
import { aUser, clientOf, tokensOf, type NewUser, type Tokens } from '../support/client';
import { altered, hs256, rs256 } from '../support/jws';
import { operations, problemCodesOf, resolved } from '../support/openApi';
import { expectProblem } from '../support/problem';
import { startLine, type DatabaseLine } from '../support/proxy';
import { REFRESH_SECRET, startService, type TestService } from '../support/service';

type Described = (typeof operations)[number];

interface Account {
  user: NewUser;
  tokens: Required<Tokens>;
}

const WRONG = 'not the password';

/** Each problem that an operation names with a status of its own. */
const named = operations.flatMap((described) => {
  const { method, path, operation } = described;
  return Object.entries(operation.responses)
    .filter(([key]) => key !== 'default')
    .flatMap(([key, reference]) => {
      const [{ content }] = resolved(reference, '');
      const schema = content?.['application/problem+json']?.schema;
      return problemCodesOf(schema ?? {}).map((code) => ({
        name: `${method.toUpperCase()} ${path} ${key} ${code}`,
        described,
        status: Number(key),
        code: code as ProblemCode,
      }));
    })
    .filter(({ code }) => code !== 'malformed-request' || operation.requestBody !== undefined);
});

describe('the problems that openapi.yaml names', () => {
  let service: TestService;
  let account: Account;
  let line: DatabaseLine;
  let cutOff: TestService;
  let accountBehindLine: Account;

  const register = async (app: Express = service.app): Promise<Account> => {
    const user = aUser();
    return { user, tokens: tokensOf(await clientOf({ app }).register(user).expect(201)) };
  };

  beforeAll(async () => {
    service = await startService();
    account = await register();
    line = await startLine();
    cutOff = await startService({ DB_PORT: String(line.port) });
    accountBehindLine = await register(cutOff.app);
    await line.cut();
  });
  afterAll(async () => {
    await Promise.all([service.stop(), cutOff.stop()]);
    await line.stop();
  });

  /** A body that the operation accepts. */
  const bodyOf = ({ operation }: Described, { email, password }: NewUser): object | undefined => {
    if (operation.requestBody === undefined) return undefined;
    if (operation.operationId === 'register') return aUser();
    const names = { firstName: 'Augusta' };
    const passwords = { currentPassword: password, newPassword: 'another horse battery' };
    return { email, password, ...names, ...passwords };
  };

  /** A request that the operation accepts, apart from what is given. */
  const send = (
    described: Described,
    {
      app = service.app,
      by = account,
      tokens = by.tokens,
      query = '',
      headers = {},
      body = bodyOf(described, by.user),
    }: {
      app?: Express;
      by?: Account;
      tokens?: Tokens;
      query?: string;
      headers?: Record<string, string>;
      body?: object | string | undefined;
    } = {},
  ): Promise<Response> => {
    const path = described.path.replace('{id}', randomUUID()) + query;
    const test = request(app)[described.method](path).set('Cookie', cookieHeader(tokens));
    if (body !== undefined) void test.type('application/json');
    return test.set(headers).send(body);
  };

  const expired = { payload: { exp: 1_000_000_000 } };

  /** A request to the operation that gets the problem. */
  const provoked: Partial<Record<ProblemCode, (described: Described) => Promise<Response>>> = {
    'invalid-input': (described) => send(described, { query: '?scope=none', body: {} }),
    'malformed-request': (described) => send(described, { body: '{' }),
    'wrong-credentials': (described) => {
      const body = bodyOf(described, account.user);
      return send(described, { body: { ...body, password: WRONG, currentPassword: WRONG } });
    },
    'missing-token': (described) => send(described, { tokens: {} }),
    'invalid-token': (described) =>
      send(described, { tokens: { access: 'garbage', refresh: 'garbage' } }),
    'expired-token': (described) => {
      const { access, refresh } = account.tokens;
      const tokens = {
        access: altered(access, expired, rs256(service.keys.signing.privateKey)),
        refresh: altered(refresh, expired, hs256(REFRESH_SECRET)),
      };
      return send(described, { tokens });
    },
    'session-ended': async (described) => {
      const ended = await register();
      await clientOf(service).logout(ended.tokens).expect(200);
      return send(described, { by: ended, query: '?scope=others' });
    },
    'ambiguous-cookies': (described) => {
      const cookies = Array.from('123456789', (n) => `access_token=${n}; refresh_token=${n}`);
      return send(described, { headers: { Cookie: cookies.join('; ') } });
    },
    'token-reused': async (described) => {
      const app = service.withSettings({ REFRESH_REUSE_WINDOW_SECONDS: '0' });
      const by = await register();
      await clientOf({ app }).refresh(by.tokens).expect(200);
      return send(described, { app, by });
    },
    'foreign-origin': (described) =>
      send(described, { headers: { Origin: 'https://evil.example' } }),
    'not-found': (described) => send(described),
    'email-taken': (described) => send(described, { body: account.user }),
    'body-too-large': (described) => send(described, { body: { padding: 'x'.repeat(17_000) } }),
    'unsupported-media-type': (described) =>
      send(described, { headers: { 'Content-Type': 'text/plain' }, body: 'text' }),
    'too-many-attempts': async (described) => {
      const app = service.withSettings({ RATE_LIMIT_ENABLED: 'true' });
      const by = await register();
      const { email } = by.user;
      for (let i = 0; i < 10; i += 1)
        await clientOf({ app }).login({ email, password: WRONG }).expect(401);
      await service.dataSource.query(
        "INSERT INTO rate_limits VALUES ('registration:127.0.0.1', 100, $1) ON CONFLICT DO NOTHING",
        [service.now() + 600_000],
      );
      return send(described, { app, by });
    },
    overloaded: async (described) => {
      const app = service.withSettings({ HASH_QUEUE_LIMIT: '1' });
      const by = await register();
      const attempts = Array.from({ length: 12 }, () => send(described, { app, by }));
      const responses = await Promise.all(attempts);
      const refused = responses.find(({ status }) => status === 503);
      if (refused === undefined) throw new Error('every password was hashed');
      return refused;
    },
    unavailable: (described) => send(described, { app: cutOff.app, by: accountBehindLine }),
  };

  it.each(named)('can happen: $name', async ({ described, status, code }) => {
    const provoke = provoked[code];
    if (provoke === undefined) throw new Error(`no request gets ${code}`);
    const { type } = expectProblem(await provoke(described), status);
    expect(type).toBe(`urn:auth-service:problem:${code}`);
  });
});
