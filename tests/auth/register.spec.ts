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

interface UserRow {
  id: number;
  firstName: string;
  lastName: string;
  email: string;
  password: string;
  role: string;
  created_at: Date;
}

const LONE_SURROGATE = '\ud83d';
const NUL = '\u0000';

/** One character short of 72 bytes, in characters of one, two and four bytes. */
const LONG = `correct horse battery ${'staple '.repeat(7)}`;
const GREEK = Array.from({ length: 35 }, (_, i) => String.fromCodePoint(0x3b1 + (i % 23))).join('');
const EMOJI = Array.from({ length: 17 }, (_, i) => String.fromCodePoint(0x1f610 + i)).join('');

describe('POST /auth/register', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const rowsOf = (userId: unknown) =>
    service.dataSource.query<UserRow[]>('SELECT * FROM users WHERE id = $1', [userId]);
  const countUsers = async () => {
    const [row] = await service.dataSource.query<{ count: number }[]>(
      'SELECT count(*)::integer FROM users',
    );
    return row?.count;
  };
  const registered = async (overrides: Partial<NewUser> = {}) => {
    const res = await client.register(aUser(overrides)).expect(201);
    const [row] = await rowsOf((res.body as { userId: number }).userId);
    if (row === undefined) throw new Error('no row');
    return row;
  };

  describe.each(MOUNTS)('when the body is valid, at %s', (mount) => {
    it('responds with 201 with the id, and sets both cookies', async () => {
      const res = await clientOf(service, mount).register().expect(201);
      const { userId } = res.body as { userId: number };
      expect(res.body).toStrictEqual({ message: 'User registered successfully', userId });
      expect(Number.isInteger(userId)).toBe(true);
      expect(Object.keys(cookiesOf(res)).sort()).toEqual(['access_token', 'refresh_token']);
      await client.self(tokensOf(res)).expect(200);
    });
  });

  describe('when the body is valid', () => {
    it('stores the account with a bcrypt hash of the configured rounds', async () => {
      const user = aUser();
      const row = await registered(user);
      expect(row).toMatchObject({
        firstName: user.firstName,
        lastName: user.lastName,
        email: user.email,
        role: 'customer',
      });
      expect(row.password).toMatch(/^\$2b\$10\$.{53}$/);
      expect(Math.abs(row.created_at.getTime() - service.now())).toBeLessThan(60_000);
    });

    it('opens one session, whose row is the refresh token', async () => {
      const tokens = tokensOf(await client.register().expect(201));
      const { sub, sid, jti } = decoded(tokens.refresh).payload;
      const rows = await service.dataSource.query<Record<string, unknown>[]>(
        'SELECT id, session_id FROM refresh_tokens WHERE user_id = $1',
        [sub],
      );
      expect(rows).toEqual([{ id: jti, session_id: sid }]);
    });

    it('issues tokens with exactly the claims of their kind', async () => {
      const tokens = tokensOf(await client.register().expect(201));
      const access = decoded(tokens.access);
      const refresh = decoded(tokens.refresh);
      const { kid } = service.keys.signing;
      expect(access.header).toStrictEqual({ alg: 'RS256', typ: 'at+jwt', kid });
      expect(Object.keys(access.payload).sort()).toEqual(
        ['aud', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub'].sort(),
      );
      expect(access.payload).toMatchObject({
        iss: 'http://localhost:5501',
        aud: 'auth-service',
        role: 'customer',
        sub: expect.stringMatching(/^[1-9]\d*$/) as string,
      });
      expect(Number(access.payload.exp) - Number(access.payload.iat)).toBe(3600);
      expect(refresh.header).toMatchObject({ alg: 'HS256' });
      expect(refresh.header.typ).not.toBe('at+jwt');
      expect(Object.keys(refresh.payload).sort()).toEqual(
        ['aud', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub'].sort(),
      );
      expect(Number(refresh.payload.exp) - Number(refresh.payload.iat)).toBe(2_592_000);
      expect(refresh.payload.sid).toBe(access.payload.sid);
      expect(refresh.payload.sub).toBe(access.payload.sub);
    });

    it('returns no token in the body', async () => {
      const res = await client.register().expect(201);
      const { access, refresh } = tokensOf(res);
      expect(res.text).not.toContain(access);
      expect(res.text).not.toContain(refresh);
    });

    it('logs the event without a secret', async () => {
      const user = aUser({ password: 'a password nobody else has' });
      const res = await client.register(user).expect(201);
      const { userId } = res.body as { userId: number };
      expect(service.logs).toContainEqual(
        expect.objectContaining({ event: 'user_created', userId }),
      );
      const log = JSON.stringify(service.logs);
      const { access = '', refresh = '' }: Tokens = tokensOf(res);
      for (const secret of [user.password, user.email, access, refresh, '$2b$'])
        expect(log).not.toContain(secret);
    });

    it('opens a new session for a browser that already has one', async () => {
      const first = await client.register().expect(201);
      const second = await client
        .send('post', '/auth/register', tokensOf(first))
        .send(aUser())
        .expect(201);
      const [one, two] = [first, second].map((res) => decoded(tokensOf(res).access).payload);
      expect(two?.sub).not.toBe(one?.sub);
      expect(two?.sid).not.toBe(one?.sid);
      await client.self(tokensOf(first)).expect(200);
    });
  });

  describe('when fields have an unusual form', () => {
    it('trims, lower-cases and composes the e-mail', async () => {
      const composed = `j\u00f6rg.${process.pid}@example.com`;
      const row = await registered({
        email: `  J\u004f\u0308RG.${process.pid}@EXAMPLE.com\t`,
      });
      expect(row.email).toBe(composed);
    });

    it('trims the names and keeps inner spaces', async () => {
      const row = await registered({
        firstName: '  Mary  Ann ',
        lastName: "\tO'Neil\u2013\u90ed ",
      });
      expect(row).toMatchObject({ firstName: 'Mary  Ann', lastName: "O'Neil\u2013\u90ed" });
    });

    it('accepts names of 1 and of 255 characters, also outside the basic plane', async () => {
      const row = await registered({ firstName: '\u{1f600}'.repeat(255), lastName: 'x' });
      expect(row.firstName).toBe('\u{1f600}'.repeat(255));
    });

    it('ignores unknown fields, including the role', async () => {
      const body = { ...aUser(), role: 'admin', id: 1, createdAt: '2000-01-01', __proto: {} };
      const res = await client.register(body).expect(201);
      const { userId } = res.body as { userId: number };
      expect(userId).not.toBe(1);
      expect(await rowsOf(userId)).toMatchObject([{ role: 'customer' }]);
    });

    it('accepts the longest e-mail that is valid', async () => {
      const labels = `${'d'.repeat(63)}.${'e'.repeat(63)}.${'f'.repeat(57)}.com`;
      const email = `${'l'.repeat(64)}@${labels}`;
      expect(email).toHaveLength(254);
      expect((await registered({ email })).email).toBe(email);
    });
  });

  const notStrings: [string, unknown][] = [
    ['missing', undefined],
    ['null', null],
    ['a number', 12_345_678],
    ['true', true],
    ['an empty object', {}],
    ['an empty array', []],
    ['an array of one valid value', ['valid.value@example.com']],
    ['an object with toString', { toString: 'x', length: 9 }],
    ['a lone surrogate', `${LONE_SURROGATE}@example.com`],
    ['empty', ''],
  ];
  const cases: [keyof NewUser, string, unknown][] = [
    ...(['firstName', 'lastName', 'email', 'password'] as const).flatMap((field) =>
      notStrings.map(([what, value]): [keyof NewUser, string, unknown] => [field, what, value]),
    ),
    ...(['firstName', 'lastName'] as const).flatMap((field): [keyof NewUser, string, unknown][] => [
      [field, 'only blanks', ' \t '],
      [field, '256 characters', 'x'.repeat(256)],
      [field, 'with a control character', 'a\u0007b'],
      [field, 'with a line break inside', 'a\r\nb'],
      [field, 'with NUL', `a${NUL}b`],
      [field, 'with a C1 control character', 'a\u0085b'],
    ]),
    ['email', 'without @', 'ada.example.com'],
    ['email', 'without a domain', 'ada@'],
    ['email', 'without a local part', '@example.com'],
    ['email', 'two addresses', 'a@example.com,b@example.com'],
    ['email', 'with a display name', 'Ada <ada@example.com>'],
    ['email', 'with a blank inside', 'a da@example.com'],
    ['email', 'with NUL', `ada${NUL}@example.com`],
    ['email', 'with a line break', 'ada@example.com\nbcc: eve@example.com'],
    ['email', 'a local part of 65', `${'l'.repeat(65)}@example.com`],
    ['email', 'a label of 64', `ada@${'d'.repeat(64)}.com`],
    [
      'email',
      '255 characters',
      `${'l'.repeat(64)}@${'d'.repeat(63)}.${'e'.repeat(63)}.${'f'.repeat(58)}.com`,
    ],
    ['password', '7 characters', 'abcd123'],
    ['password', '7 characters of two code units each', '\u{1f600}'.repeat(7)],
    ['password', '73 bytes', 'p'.repeat(73)],
    ['password', '73 bytes, a character of two bytes over the edge', `${'p'.repeat(71)}\u00e9`],
    ['password', '25 characters of three bytes', '\u20ac'.repeat(25)],
    ['password', 'a lone surrogate inside', `good password ${LONE_SURROGATE}`],
    ['password', 'NUL at the end', `good password${NUL}`],
    ['password', 'NUL inside', `good${NUL}password`],
  ];
  describe.each(cases)('when %s is %s', (field, _what, value) => {
    it('responds with 400 with one error for that field, and stores nothing', async () => {
      const before = await countUsers();
      const res = await client.register({ ...aUser(), [field]: value });
      const { errors } = expectProblem(res, 400);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ type: 'field', path: field, location: 'body' });
      expect(res.headers['set-cookie']).toBeUndefined();
      expect(await countUsers()).toBe(before);
    });
  });

  describe.each(['firstName', 'lastName', 'email', 'password'])(
    'when %s is an array of arrays, 7 000 deep',
    (field) => {
      it('responds with 400', async () => {
        const deep = '['.repeat(7000) + ']'.repeat(7000);
        const body = JSON.stringify({ ...aUser(), [field]: 0 }).replace(':0', `:${deep}`);
        expectProblem(await client.raw('post', '/auth/register', body), 400);
      });
    },
  );

  describe('when several fields are wrong', () => {
    it('names each of them once, without its value', async () => {
      const body = { firstName: 7, email: 'not-an-address', password: 'secret1', lastName: ' ' };
      const res = await client.register(body);
      const { errors } = expectProblem(res, 400);
      expect(errors.map(({ path }) => path).sort()).toEqual(
        ['email', 'firstName', 'lastName', 'password'].sort(),
      );
      expect(res.text).not.toMatch(/not-an-address|secret1/);
      expect(JSON.stringify(service.logs)).not.toMatch(/not-an-address|secret1/);
    });
  });

  describe('when fields come in the query', () => {
    it('responds with 400, because only the body counts', async () => {
      const { email, ...rest } = aUser();
      const res = await client.send('post', '/auth/register').query({ email }).send(rest);
      const { errors } = expectProblem(res, 400);
      expect(errors.map(({ path }) => path)).toEqual(['email']);
    });
  });

  describe('when there is no body', () => {
    it('responds with 400 with an error for each field', async () => {
      const { errors } = expectProblem(await client.send('post', '/auth/register'), 400);
      expect(errors).toHaveLength(4);
    });
  });

  describe('when the e-mail is taken', () => {
    it.each([
      ['as it is', (email: string) => email],
      ['in capitals', (email: string) => email.toUpperCase()],
      ['with blanks around', (email: string) => `  ${email} `],
      ['with decomposed letters', (email: string) => email.normalize('NFD')],
      ['with its domain in ASCII', (email: string) => email.replace('bücher', 'xn--bcher-kva')],
    ])('responds with 409 and no cookies, and keeps the account: %s', async (_how, changed) => {
      const user = aUser({
        email: aUser().email.replace('ada', 'straße').replace('example', 'bücher'),
      });
      const row = await registered(user);
      const res = await client.register(
        aUser({ email: changed(user.email), password: 'another password' }),
      );
      expect(expectProblem(res, 409).errors).toEqual([
        {
          type: 'email-taken',
          code: 'taken',
          msg: 'The e-mail is already registered',
          path: 'email',
          location: 'body',
        },
      ]);
      await client.login({ email: changed(user.email), password: user.password }).expect(200);
      expect(res.headers['set-cookie']).toBeUndefined();
      expect(res.text.toLowerCase()).not.toContain(user.email);
      expect(await rowsOf(row.id)).toEqual([row]);
    });
  });

  describe('when 12 registrations of one e-mail in different case arrive at once', () => {
    it('responds with 201 to one and with 409 to the others', async () => {
      const { email } = aUser();
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          client.register(
            aUser({ email: i % 2 ? email.toUpperCase() : email, firstName: `Nr ${i}` }),
          ),
        ),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([201, ...Array<number>(11).fill(409)]);
      const rows = await service.dataSource.query<object[]>(
        'SELECT id FROM users WHERE lower(email) = $1',
        [email],
      );
      expect(rows).toHaveLength(1);
      const sessions = await service.dataSource.query<object[]>(
        'SELECT t.id FROM refresh_tokens t JOIN users u ON u.id = t.user_id WHERE u.email = $1',
        [email],
      );
      expect(sessions).toHaveLength(1);
    });
  });

  describe('when the password is at the limits', () => {
    it.each([
      ['8 characters', '8 chars!', '8 chars?'],
      ['72 bytes', `${LONG}a`, `${LONG}b`],
      ['72 bytes of two-byte characters', `${GREEK}\u03b1`, `${GREEK}\u03b2`],
      ['72 bytes of four-byte characters', `${EMOJI}\u{1f600}`, `${EMOJI}\u{1f601}`],
    ])('accepts %s, but no other password', async (_what, password, other) => {
      const user = aUser({ password });
      await client.register(user).expect(201);
      await client.login({ email: user.email, password }).expect(200);
      expectProblem(await client.login({ email: user.email, password: other }), 401);
    });
  });

  describe('when the password has surrounding spaces and unusual characters', () => {
    it('is verified exactly as it was sent', async () => {
      const user = aUser({ password: '  p\u0041\u030angstr\u00f6m \t ' });
      await client.register(user).expect(201);
      const { email, password } = user;
      await client.login({ email, password }).expect(200);
      for (const other of [password.trim(), password.normalize('NFC'), password.toLowerCase()])
        expectProblem(await client.login({ email, password: other }), 401);
    });
  });

  describe('when the body has bytes that are not UTF-8', () => {
    it('responds with 400, because the stored password would differ from the sent one', async () => {
      const [head, tail] = JSON.stringify(aUser({ password: 'caf|au lait' })).split('|');
      const body = Buffer.concat([
        Buffer.from(String(head)),
        Buffer.from([0xe9]),
        Buffer.from(String(tail)),
      ]);
      expectProblem(await client.raw('post', '/auth/register', body), 400);
    });
  });
});
