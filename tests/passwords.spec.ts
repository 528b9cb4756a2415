import bcrypt from 'bcrypt';
import type { Config } from '../src/config';
import { aUser, clientOf, tokensOf } from './support/client';
import { expectProblem } from './support/problem';
import { certsDir } from './harness/certsDir';
import { ServiceProcess, type Answer } from './support/process';
import { createDatabase, startService, type TestService } from './support/service';

const COMMON = [
  'password',
  'PassWord',
  '12345678',
  'qwertyuiop',
  'iloveyou',
  'trustno1',
  'letmein1',
  '88888888',
  '987654321',
  'aaaaaaaa',
  'Password2031!',
];

describe('passwords', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const storedHash = async (email: string) => {
    const [row] = await service.dataSource.query<{ password: string }[]>(
      'SELECT password FROM users WHERE email = $1',
      [email],
    );
    return row?.password ?? '';
  };

  describe('when a new one is common', () => {
    it.each(COMMON)('refuses %s at registration with the reason', async (password) => {
      const { errors } = expectProblem(await client.register(aUser({ password })), 400);
      expect(errors).toEqual([
        {
          type: 'field',
          code: 'too-common',
          msg: 'password is one of the most common passwords',
          path: 'password',
          location: 'body',
        },
      ]);
    });
  });

  describe('when a new one is predictable or names the service', () => {
    it.each([
      ['zyxwvutsr', 'password must be more than a repetition or a sequence of keys'],
      ['abcabcabcabc', 'password must be more than a repetition or a sequence of keys'],
      ['Auth-Service 7!', 'password must not contain the name of this service'],
    ])('refuses %s at registration with the reason', async (password, msg) => {
      const { errors } = expectProblem(await client.register(aUser({ password })), 400);
      expect(errors).toEqual([
        { type: 'field', code: 'too-common', msg, path: 'password', location: 'body' },
      ]);
    });
  });

  describe('when a new one contains personal data', () => {
    const person = { firstName: 'Augusta', lastName: 'O’Byron', email: 'countess@example.com' };
    it.each(['my countess 1815', 'x AUGUSTA x x', 'prefix-o’byron-suffix'])(
      'refuses %s at registration with the reason',
      async (password) => {
        const { errors } = expectProblem(
          await client.register(aUser({ ...person, password })),
          400,
        );
        expect(errors.map(({ path, code, msg }) => [path, code, msg])).toEqual([
          ['password', 'contains-personal-data', 'password must not contain the e-mail or a name'],
        ]);
      },
    );

    it('refuses the whole e-mail even if its local part is short', async () => {
      const email = `x${process.pid}@example.com`;
      const res = await client.register(aUser({ email, password: email.toUpperCase() }));
      expect(expectProblem(res, 400).errors[0]?.code).toBe('contains-personal-data');
    });

    it('accepts words of two letters and the domain', async () => {
      const password = 'example li horse battery';
      await client.register(aUser({ firstName: 'Li', password })).expect(201);
    });
  });

  describe('when it is changed', () => {
    it('refuses the same ones, using name and e-mail of the account', async () => {
      const user = aUser({ firstName: 'Wilhelmina' });
      const tokens = tokensOf(await client.register(user).expect(201));
      for (const newPassword of ['password1', 'dear wilhelmina', `my ${user.email}`]) {
        const res = await client
          .send('patch', '/auth/password', tokens)
          .send({ currentPassword: user.password, newPassword });
        const { errors } = expectProblem(res, 400);
        expect(errors.map(({ path }) => path)).toEqual(['newPassword']);
        expect(res.text).not.toContain(newPassword);
      }
      await client.login(user).expect(200);
    });
  });

  describe('when an old password would be refused today', () => {
    it('still accepts it at login', async () => {
      const user = aUser();
      await client.register(user).expect(201);
      await service.dataSource.query('UPDATE users SET password = $2 WHERE email = $1', [
        user.email,
        await bcrypt.hash('password', 10),
      ]);
      await client.login({ ...user, password: 'password' }).expect(200);
    });
  });

  describe('when the stored hash has another form', () => {
    it.each([
      '!',
      '',
      'x',
      '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA',
      `$2b$31$${'.'.repeat(53)}`,
      `$2x$10$${'.'.repeat(53)}`,
      '$2b$10$short',
    ])('responds with 401 to %p after the same work, and counts it', async (hash) => {
      const limited = await startService({ RATE_LIMIT_ENABLED: 'true' });
      try {
        const there = clientOf(limited);
        const user = aUser();
        await there.register(user).expect(201);
        await limited.dataSource.query('UPDATE users SET password = $1', [hash]);
        const spy = jest.spyOn(bcrypt, 'compare');
        expectProblem(await there.login(user), 401);
        expect(spy.mock.calls.map(([, compared]) => bcrypt.getRounds(compared))).toEqual([10]);
        spy.mockRestore();
        const rows = await limited.dataSource.query<{ points: number }[]>(
          "SELECT points FROM rate_limits WHERE key LIKE 'pair:%'",
        );
        expect(rows).toEqual([{ points: 1 }]);
      } finally {
        await limited.stop();
      }
    });

    it('accepts a bcrypt hash with the prefix $2y$', async () => {
      const user = aUser();
      await client.register(user).expect(201);
      const hash = (await storedHash(user.email)).replace('$2b$', '$2y$');
      await service.dataSource.query('UPDATE users SET password = $1 WHERE email = $2', [
        hash,
        user.email,
      ]);
      await client.login({ ...user, password: 'wrong password' }).expect(401);
      await client.login(user).expect(200);
    });
  });

  describe('when BCRYPT_ROUNDS was lowered', () => {
    it('refuses after the work of the slowest hash', async () => {
      const own = await startService();
      try {
        const there = clientOf(own);
        const [slow, fast] = [aUser(), aUser()];
        await there.register(slow).expect(201);
        await there.register(fast).expect(201);
        const hash = await bcrypt.hash(slow.password, 11);
        await own.dataSource.query('UPDATE users SET password = $1 WHERE email = $2', [
          hash,
          slow.email,
        ]);
        const workOf = async (email: string) => {
          const spy = jest.spyOn(bcrypt, 'compare');
          await there.login({ email, password: 'wrong password' }).expect(401);
          const work = spy.mock.calls.reduce((sum, [, h]) => sum + 2 ** bcrypt.getRounds(h), 0);
          spy.mockRestore();
          return work;
        };
        const emails = [slow.email, fast.email, aUser().email];
        const work = [];
        for (const email of emails) work.push(await workOf(email));
        expect(work).toEqual([2 ** 11, 2 ** 11, 2 ** 11]);
      } finally {
        await own.stop();
      }
    });
  });

  describe('when BCRYPT_ROUNDS was raised', () => {
    const user = aUser();
    /** A hash with fewer rounds. */
    const weaken = async () => {
      await service.dataSource.query('UPDATE users SET password = $2 WHERE email = $1', [
        user.email,
        await bcrypt.hash(user.password, 4),
      ]);
    };
    beforeAll(async () => {
      await client.register(user).expect(201);
    });

    it('hashes again at the next login, and the session and later logins work', async () => {
      await weaken();
      expect(bcrypt.getRounds(await storedHash(user.email))).toBe(4);
      const tokens = tokensOf(await client.login(user).expect(200));
      const renewed = await storedHash(user.email);
      expect(bcrypt.getRounds(renewed)).toBe(10);
      await client.self(tokens).expect(200);
      await client.refresh(tokens).expect(200);
      await client.login(user).expect(200);
      expect(await storedHash(user.email)).toBe(renewed);
    });

    it('does not hash again for a wrong password', async () => {
      await weaken();
      const before = await storedHash(user.email);
      await client.login({ ...user, password: 'not the password' }).expect(401);
      expect(await storedHash(user.email)).toBe(before);
    });

    it('accepts all logins that arrive at once', async () => {
      await weaken();
      const answers = await Promise.all(Array.from({ length: 8 }, () => client.login(user)));
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
      for (const res of answers) await client.self(tokensOf(res)).expect(200);
      expect(bcrypt.getRounds(await storedHash(user.email))).toBe(10);
    });

    it('also accepts a change of password in the same request', async () => {
      const tokens = tokensOf(await client.login(user).expect(200));
      await weaken();
      const newPassword = 'another horse battery';
      await client
        .send('patch', '/auth/password', tokens)
        .send({ currentPassword: user.password, newPassword })
        .expect(200);
      await client.login({ ...user, password: newPassword }).expect(200);
    });
  });

  describe('when 300 logins arrive at once', () => {
    let database: Config['database'];
    let process: ServiceProcess;
    beforeAll(async () => {
      database = await createDatabase();
      process = await ServiceProcess.start(database, { CERTS_DIR: certsDir() });
    });
    afterAll(() => process.stop());

    it('signs in or sends Retry-After, and other requests do not wait', async () => {
      const user = aUser();
      let { tokens } = await process.post('/auth/register', {}, user);
      const crowdIs = { over: false };
      const crowd = Promise.all(
        Array.from({ length: 300 }, () => process.post('/auth/login', {}, user)),
      ).finally(() => (crowdIs.over = true));

      let served = 0;
      const serve = async (request: () => Promise<Answer>) => {
        const answer = await request();
        expect(answer.status).toBe(200);
        served += 1;
        return answer;
      };
      do {
        await serve(() => process.get('/auth/self', tokens));
        ({ tokens } = await serve(() => process.post('/auth/refresh', tokens)));
        await serve(() => process.get('/.well-known/jwks.json'));
        await serve(() => process.get('/health/ready'));
      } while (!crowdIs.over);
      const answers = await crowd;

      const statuses = answers.map(({ status }) => status);
      const refused = answers.filter(({ status }) => status === 503);
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(20);
      // HASH_QUEUE_LIMIT of them wait; the others are refused at once.
      expect(refused.length).toBeGreaterThan(100);
      expect(statuses.filter((status) => ![200, 503].includes(status))).toEqual([]);
      for (const { headers } of refused) expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);

      // Behind the hashes each of them would take as long as all logins.
      expect(served).toBeGreaterThan(20);
    });
  });
});
