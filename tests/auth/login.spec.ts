import type { Response } from 'supertest';
import {
  MOUNTS,
  aUser,
  clientOf,
  cookiesOf,
  tokensOf,
  type NewUser,
  type Tokens,
} from '../support/client';
import { decoded } from '../support/jws';
import { expectProblem } from '../support/problem';
import { startService, type TestService } from '../support/service';

describe('POST /auth/login', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  let user: NewUser;
  let userId: number;
  let registered: Required<Tokens>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
    user = aUser({ email: `\u00e9mile.${process.pid}@example.com` });
    const res = await client.register(user).expect(201);
    userId = (res.body as { userId: number }).userId;
    registered = tokensOf(res);
  });
  afterAll(() => service.stop());

  const countSessions = async () => {
    const [row] = await service.dataSource.query<{ count: number }[]>(
      'SELECT count(*)::integer FROM refresh_tokens',
    );
    return Number(row?.count);
  };

  describe.each(MOUNTS)('when the credentials are right, at %s', (mount) => {
    it('responds with 200 with the id, and sets both cookies', async () => {
      const { email, password } = user;
      const res = await clientOf(service, mount).login({ email, password }).expect(200);
      expect(res.body).toStrictEqual({ message: 'User logged in successfully', userId });
      expect(Object.keys(cookiesOf(res)).sort()).toEqual(['access_token', 'refresh_token']);
      const { access, refresh } = tokensOf(res);
      expect(res.text).not.toContain(access);
      expect(res.text).not.toContain(refresh);
      await client.self({ access }).expect(200);
      await client.refresh({ refresh }).expect(200);
    });
  });

  describe('when the credentials are right', () => {
    it('opens a new session and keeps the others', async () => {
      const before = await countSessions();
      const tokens = tokensOf(await client.login(user).expect(200));
      expect(await countSessions()).toBe(before + 1);
      expect(decoded(tokens.access).payload.sid).not.toBe(decoded(registered.access).payload.sid);
      await client.self(registered).expect(200);
    });

    it('ignores unknown fields', async () => {
      await client.login({ ...user, role: 'admin', userId: 1 }).expect(200);
    });

    it('ignores planted cookies and keeps their session', async () => {
      const other = await client.register().expect(201);
      const planted = tokensOf(other);
      const res = await client.send('post', '/auth/login', planted).send(user).expect(200);
      expect(res.body).toMatchObject({ userId });
      expect(decoded(tokensOf(res).access).payload.sid).not.toBe(
        decoded(planted.access).payload.sid,
      );
      const self = await client.self(planted).expect(200);
      expect(self.body).toMatchObject({ user: { id: (other.body as { userId: number }).userId } });
    });

    it('logs the event with user and session, without a secret', async () => {
      const res = await client.login(user).expect(200);
      const { access, refresh } = tokensOf(res);
      const event = service.logs.findLast((line) => line.event === 'authn_login_success');
      expect(event).toMatchObject({
        userId,
        sessionId: decoded(access).payload.sid,
        requestId: res.headers['x-request-id'],
      });
      const log = JSON.stringify(service.logs);
      for (const secret of [user.password, user.email, String(access), String(refresh)])
        expect(log).not.toContain(secret);
    });
  });

  describe('when the e-mail has another spelling', () => {
    it.each([
      ['in capitals', (email: string) => email.toUpperCase()],
      ['with blanks around', (email: string) => ` ${email}\n`],
      ['decomposed', (email: string) => email.normalize('NFD')],
    ])('finds the account, %s', async (_how, changed) => {
      const { email, password } = user;
      const res = await client.login({ email: changed(email), password }).expect(200);
      expect(res.body).toMatchObject({ userId });
    });
  });

  describe('when the credentials are wrong', () => {
    /** Everything in a response that does not differ from request to request. */
    const shown = (res: Response) => {
      const { date, 'x-request-id': id, ...headers } = res.headers as Record<string, string>;
      expect(date).toBeDefined();
      return { status: res.status, headers, body: res.text.replaceAll(String(id), '') };
    };

    it('sends the same 401 for a wrong password and an unknown e-mail', async () => {
      const wrong = await client.login({ email: user.email, password: 'wrong password' });
      const unknown = await client.login({ email: 'nobody@example.com', password: user.password });
      expectProblem(wrong, 401);
      expectProblem(unknown, 401);
      expect(shown(unknown)).toEqual(shown(wrong));
      expect(wrong.headers['set-cookie']).toBeUndefined();
    });

    it('opens no session and logs the failure without the e-mail', async () => {
      const before = await countSessions();
      const email = 'unknown.person@example.com';
      await client.login({ email, password: 'submitted password' }).expect(401);
      expect(await countSessions()).toBe(before);
      expect(service.logs).toContainEqual(expect.objectContaining({ event: 'authn_login_fail' }));
      expect(JSON.stringify(service.logs)).not.toMatch(/unknown\.person|submitted password/);
    });

    it.each([
      ['with a blank at the end', (password: string) => `${password} `],
      ['with a blank at the start', (password: string) => ` ${password}`],
      ['in capitals', (password: string) => password.toUpperCase()],
      ['without its end', (password: string) => password.slice(0, -1)],
    ])('refuses the password %s', async (_how, changed) => {
      const { email, password } = user;
      expectProblem(await client.login({ email, password: changed(password) }), 401);
    });
  });

  const cases: [string, string, unknown][] = [
    ['email', 'missing', undefined],
    ['email', 'null', null],
    ['email', 'an array with the right one', 'ARRAY'],
    ['email', 'an object', { $ne: '' }],
    ['email', 'a number', 5],
    ['email', 'no address', 'ada'],
    ['email', 'an SQL fragment', "' OR 1=1 --"],
    ['email', 'with NUL', 'ada@example.com\u0000'],
    ['password', 'missing', undefined],
    ['password', 'null', null],
    ['password', 'an array with the right one', 'ARRAY'],
    ['password', 'an object', { a: 1 }],
    ['password', 'a number', 12_345_678],
    ['password', 'true', true],
    ['password', 'empty', ''],
    ['password', 'of 73 bytes', 'p'.repeat(73)],
    ['password', 'with NUL', 'correct horse battery\u0000'],
    ['password', 'with a lone surrogate', 'correct horse \udc00'],
  ];
  describe.each(cases)('when %s is %s', (field, _what, value) => {
    it('responds with 400 with one error for that field', async () => {
      const { email, password } = user;
      const good = { email, password };
      const bad = value === 'ARRAY' ? [good[field as 'email' | 'password']] : value;
      const res = await client.login({ ...good, [field]: bad });
      const { errors } = expectProblem(res, 400);
      expect(errors).toMatchObject([{ type: 'field', path: field, location: 'body' }]);
      expect(res.headers['set-cookie']).toBeUndefined();
    });
  });

  describe('when there is no body', () => {
    it('responds with 400 with an error for each field', async () => {
      const { errors } = expectProblem(await client.send('post', '/auth/login'), 400);
      expect(errors.map(({ path }) => path).sort()).toEqual(['email', 'password']);
    });
  });

  describe('when the account was deleted', () => {
    it('responds with 401', async () => {
      const gone = aUser();
      await client.register(gone).expect(201);
      await service.dataSource.query('DELETE FROM users WHERE email = $1', [gone.email]);
      expectProblem(await client.login(gone), 401);
    });
  });
});
