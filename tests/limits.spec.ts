import { Client } from 'pg';
import { availableParallelism } from 'node:os';
import { FIND_CREDENTIALS } from '../src/database/credentialStatements';
import { COUNTERS } from '../src/database/limiterStatements';
import { aUser, clearsCookies, clientOf, tokensOf, type NewUser } from './support/client';
import { expectProblem } from './support/problem';
import { certsDir } from './harness/certsDir';
import { ServiceProcess } from './support/process';
import { ALLOWED_ORIGIN, createDatabase, startService, type TestService } from './support/service';

const WRONG = 'not the password';

/** The name of a statement as node-postgres is given it; undefined for any other. */
const nameOf = (statement: unknown) => (statement as { name?: string }).name;

describe('limits on attempts', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService({ RATE_LIMIT_ENABLED: 'true', TRUST_PROXY: '1' });
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  let host = 0;
  /** An unused address. */
  const anAddress = () => {
    host += 1;
    return `203.0.113.${host}`;
  };
  const login = (address: string, credentials: object) =>
    client.send('post', '/auth/login').set('X-Forwarded-For', address).send(credentials);
  const register = (address: string, user: NewUser) =>
    client.send('post', '/auth/register').set('X-Forwarded-For', address).send(user);
  const guesses = async (address: string, { email }: { email: string }, times: number) => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i += 1)
      statuses.push((await login(address, { email, password: WRONG })).status);
    return statuses;
  };
  const times = (count: number, status: number) => Array<number>(count).fill(status);
  /** Otherwise a lock of a second may end between two requests. */
  const withoutTime = () => {
    beforeAll(() => service.freeze(0));
    afterAll(() => service.thaw());
  };
  /** Adds points to a key, as attempts would. */
  const count = (key: string, points: number) =>
    service.dataSource.query(
      `INSERT INTO rate_limits VALUES ($1, $2, $3)
       ON CONFLICT (key) DO UPDATE SET points = excluded.points`,
      [key, points, service.now() + 600_000],
    );

  describe('when a password was guessed 10 times from one address', () => {
    const user = aUser();
    const owner = anAddress();
    const attacker = anAddress();
    let tokens: ReturnType<typeof tokensOf>;
    beforeAll(async () => {
      tokens = tokensOf(await register(owner, user).expect(201));
      expect(await guesses(attacker, user, 10)).toEqual(times(10, 401));
    });

    it('responds with 429 and the time to wait, even to the right password', async () => {
      for (const password of [WRONG, user.password]) {
        const res = await login(attacker, { ...user, password });
        expectProblem(res, 429);
        const wait = Number(res.headers['retry-after']);
        expect(wait).toBeGreaterThan(800);
        expect(wait).toBeLessThanOrEqual(900);
        expect(res.headers).toMatchObject({
          'ratelimit-limit': '10',
          'ratelimit-remaining': '0',
          'ratelimit-reset': String(wait),
        });
        expect(res.headers['set-cookie']).toBeUndefined();
      }
    });

    it('lets a page of an allowed origin read the headers', async () => {
      const res = await login(attacker, user).set('Origin', ALLOWED_ORIGIN);
      expect(res.status).toBe(429);
      const exposed = res.headers['access-control-expose-headers']?.toLowerCase().split(',');
      expect(exposed).toEqual(
        expect.arrayContaining([
          'retry-after',
          'ratelimit-limit',
          'ratelimit-remaining',
          'ratelimit-reset',
        ]),
      );
    });

    it('logs the event', async () => {
      const res = await login(attacker, user);
      expect(service.logs).toContainEqual(
        expect.objectContaining({
          event: 'excess_rate_limit_exceeded',
          requestId: res.headers['x-request-id'],
          ipAddress: attacker,
        }),
      );
    });

    it('accepts the owner from the address of the registration', async () => {
      await login(owner, user).expect(200);
    });

    it('does not limit other accounts, refresh and the key set at that address', async () => {
      const other = aUser();
      await register(owner, other).expect(201);
      await login(attacker, other).expect(200);
      const refresh = client.refresh(tokens).set('X-Forwarded-For', attacker);
      await refresh.expect(200);
      const keys = client.send('get', '/.well-known/jwks.json').set('X-Forwarded-For', attacker);
      await keys.expect(200);
    });

    it('stores no e-mail in plain text', async () => {
      const rows = await service.dataSource.query<{ key: string }[]>('SELECT key FROM rate_limits');
      expect(rows.length).toBeGreaterThan(2);
      expect(JSON.stringify(rows)).not.toContain('@');
      expect(JSON.stringify(service.logs)).not.toContain(user.email);
    });
  });

  describe('when the wait is over', () => {
    it('accepts the password again', async () => {
      const later = await startService({ RATE_LIMIT_ENABLED: 'true' });
      try {
        const there = clientOf(later);
        const user = aUser();
        await there.register(user).expect(201);
        for (let i = 0; i < 10; i += 1) await there.login({ ...user, password: WRONG }).expect(401);
        await later.advance(840);
        await there.login(user).expect(429);
        await later.advance(61);
        await there.login(user).expect(200);
      } finally {
        await later.stop();
      }
    });
  });

  describe('when the right password comes before the limit', () => {
    it('starts counting again', async () => {
      const user = aUser();
      const address = anAddress();
      await register(address, user).expect(201);
      for (let round = 0; round < 2; round += 1) {
        expect(await guesses(address, user, 9)).toEqual(times(9, 401));
        await login(address, user).expect(200);
      }
    });
  });

  describe('when the e-mail is unknown', () => {
    withoutTime();

    it('is limited like an account, so that the limit reveals nothing', async () => {
      const address = anAddress();
      const nobody = aUser();
      expect(await guesses(address, nobody, 12)).toEqual([...times(10, 401), ...times(2, 429)]);
      await guesses(anAddress(), nobody, 1);
      expectProblem(await login(anAddress(), nobody), 429);
    });
  });

  describe('when strangers from many addresses guess the password of one account', () => {
    const user = aUser();
    const owner = anAddress();
    /** The seconds that a stranger has to wait; undefined if an attempt is allowed. */
    const wait = async (): Promise<string | undefined> =>
      (await login(anAddress(), { ...user, password: WRONG })).headers['retry-after'];
    const lockRunsOut = () =>
      service.dataSource.query(`DELETE FROM rate_limits WHERE key LIKE 'lock:%'`);
    beforeAll(async () => {
      await register(owner, user).expect(201);
      await lockRunsOut();
      for (let i = 0; i < 10; i += 1) expect(await guesses(anAddress(), user, 1)).toEqual([401]);
    });

    it('locks strangers for twice as long after each failure, the right password or not', async () => {
      const waits: (string | undefined)[] = [];
      for (let i = 0; i < 5; i += 1) {
        const stranger = await login(anAddress(), user);
        expectProblem(stranger, 429);
        waits.push(stranger.headers['retry-after']);
        await lockRunsOut();
        expect(await wait()).toBeUndefined();
      }
      expect(waits).toEqual(['1', '2', '4', '8', '16']);
    });

    it('accepts the owner from a familiar network', async () => {
      expect(await wait()).toMatch(/^\d+$/);
      await login(owner, user).expect(200);
      expect(await guesses(owner, user, 1)).toEqual([429]);
      await login(owner, user).expect(200);
    });

    describe('and time stands still', () => {
      withoutTime();

      it('responds to a wrong password from there as to a locked unknown e-mail', async () => {
        const nobody = aUser();
        for (let i = 0; i < 11; i += 1) await guesses(anAddress(), nobody, 1);
        const shapeOf = async (email: string) => {
          const res = await login(owner, { email, password: WRONG });
          return { ...(res.body as object), instance: '', limit: res.get('RateLimit-Limit') };
        };
        expect(await shapeOf(user.email)).toEqual(await shapeOf(nobody.email));
      });
    });

    it('never locks for longer than 15 minutes', async () => {
      await service.dataSource.query(
        "UPDATE rate_limits SET points = 5000 WHERE key LIKE 'account:%'",
      );
      await lockRunsOut();
      expect(await wait()).toBeUndefined();
      const seconds = Number(await wait());
      expect(seconds).toBeGreaterThan(880);
      expect(seconds).toBeLessThanOrEqual(900);
    });
  });

  describe('when one address has failed 100 times at many accounts', () => {
    it('responds with 429 there and nowhere else', async () => {
      const user = aUser();
      await register(anAddress(), user).expect(201);
      const address = anAddress();
      await count(`network:${address}`, 99);
      await login(address, user).expect(200);
      expect(await guesses(address, aUser(), 2)).toEqual([401, 429]);
      const refused = await login(address, user);
      expectProblem(refused, 429);
      expect(refused.headers['ratelimit-limit']).toBe('100');
      await login(anAddress(), user).expect(200);
    });
  });

  describe('when the addresses are IPv6', () => {
    it('counts a /64 as one', async () => {
      const nobody = aUser();
      const statuses: number[] = [];
      for (let i = 0; i < 11; i += 1)
        statuses.push(...(await guesses(`2001:db8:0:1:${i}::${i}`, nobody, 1)));
      expect(statuses).toEqual([...times(10, 401), 429]);
      expect(await guesses('2001:db8:0:2::1', aUser(), 1)).toEqual([401]);
    });

    it('counts an IPv4-mapped address as IPv4', async () => {
      const nobody = aUser();
      const address = anAddress();
      expect(await guesses(`::ffff:${address}`, nobody, 10)).toEqual(times(10, 401));
      expect(await guesses(address, nobody, 1)).toEqual([429]);
    });
  });

  describe('when X-Forwarded-For writes addresses in another form', () => {
    it.each([
      ['[2001:db8:7::1]:51234', '2001:db8:7::1'],
      ['[2001:db8:7::2]', '2001:db8:7::2'],
      ['2001:DB8:7:0:0::3%eth0', '2001:db8:7::3'],
      ['198.51.100.7:51234', '198.51.100.7'],
      ['::ffff:198.51.100.8', '198.51.100.8'],
      ['::FFFF:c633:6409', '198.51.100.9'],
      ['"[2001:db8:7::4]:443"', '2001:db8:7::4'],
    ])('reads %s as %s', async (written, address) => {
      await login(written, aUser());
      expect(service.logs.at(-1)).toMatchObject({ ipAddress: address });
    });

    it.each(['unknown', '_hidden', '203.0.113.300', 'x'.repeat(5000), '0x7f.1'])(
      'counts %.20s as the peer that sent it',
      async (written) => {
        await login(written, aUser());
        expect(service.logs.at(-1)).toMatchObject({ ipAddress: '127.0.0.1' });
      },
    );
  });

  describe('when the networks of one /48 have failed 300 times', () => {
    it('responds with 429 to all of them and with 401 to another /48', async () => {
      await count('site:2001:db8:48::/48', 299);
      expect(await guesses('2001:db8:48:1::1', aUser(), 1)).toEqual([401]);
      expect(await guesses('2001:db8:48:2::1', aUser(), 1)).toEqual([429]);
      expect(await guesses('2001:db8:49:1::1', aUser(), 1)).toEqual([401]);
    });
  });

  describe('when one address sends invalid input again and again', () => {
    it('responds with 429 there after 300 of them, logs it once, and serves others', async () => {
      const address = anAddress();
      const send = (from: string) => login(from, { email: 'nonsense', password: 'x' });
      for (let i = 0; i < 300; i += 1) await send(address).expect(400);
      expectProblem(await send(address), 429);
      await send(anAddress()).expect(400);
      const events = service.logs.filter(({ event }) => event === 'input_validation_fail');
      expect(events).toEqual([expect.objectContaining({ ipAddress: address })]);
    });
  });

  describe('when one account signs in again and again', () => {
    it('responds with 429 after 100 logins from one site, and with 200 elsewhere', async () => {
      const user = aUser();
      await register(anAddress(), user).expect(201);
      const from = (i: number) => `2001:db8:50:${i}::1`;
      for (let i = 0; i < 100; i += 1) await login(from(i), user).expect(200);
      expectProblem(await login(from(100), user), 429);
      await login(anAddress(), user).expect(200);
    }, 90_000);
  });

  describe('when an attempt is refused', () => {
    withoutTime();

    it('takes no statement for a while, and names the account by a keyed hash', async () => {
      const address = anAddress();
      const nobody = aUser();
      await guesses(address, nobody, 11);
      const spy = jest.spyOn(Client.prototype, 'query');
      expect(await guesses(address, nobody, 5)).toEqual(times(5, 429));
      const statements = spy.mock.calls.length;
      spy.mockRestore();
      expect(statements).toBe(0);
      expect(service.logs.findLast(({ event }) => event !== undefined)).toMatchObject({
        event: 'excess_rate_limit_exceeded',
        accountHash: expect.stringMatching(/^[\w-]{43}$/) as string,
      });
    });
  });

  describe('when a site goes on after 300 refusals within a minute', () => {
    it('is refused before the body is read, there alone', async () => {
      const address = anAddress();
      const user = aUser();
      await register(address, user).expect(201);
      await guesses(address, user, 11);
      expect(await guesses(address, user, 301)).toEqual(times(301, 429));
      const other = aUser();
      await register(anAddress(), other).expect(201);
      expectProblem(await login(address, other), 429);
      await login(anAddress(), other).expect(200);
    });
  });

  describe('when many attempts wait while a limit is reached', () => {
    it('refuses all but the first of them without a statement when their turn comes', async () => {
      const address = anAddress();
      const nobody = aUser();
      const spy = jest.spyOn(Client.prototype, 'query');
      const attempts = Array.from({ length: 40 }, () => guesses(address, nobody, 1));
      const statuses = (await Promise.all(attempts)).flat();
      const checks = spy.mock.calls.filter(([statement]) => nameOf(statement) === COUNTERS.name);
      spy.mockRestore();
      const guessed = statuses.filter((status) => status === 401);
      expect(statuses).toContain(429);
      expect(checks.length).toBeLessThanOrEqual(guessed.length + availableParallelism());
    });
  });

  describe('when the queue of the hashes is full', () => {
    it('refuses without a statement', async () => {
      const small = await startService({ HASH_QUEUE_LIMIT: '1', RATE_LIMIT_ENABLED: 'true' });
      try {
        const spy = jest.spyOn(Client.prototype, 'query');
        const there = clientOf(small);
        const attempts = Array.from({ length: 20 }, () => there.login(aUser()));
        const statuses = (await Promise.all(attempts)).map(({ status }) => status);
        const found = spy.mock.calls.filter(([asked]) => nameOf(asked) === FIND_CREDENTIALS.name);
        spy.mockRestore();
        const refused = statuses.filter((status) => status === 503);
        expect(refused.length).toBeGreaterThan(0);
        expect(found).toHaveLength(20 - refused.length);
      } finally {
        await small.stop();
      }
    });
  });

  describe('when 100 accounts were registered from one address within the hour', () => {
    it('responds with 429 there before hashing, and with 201 elsewhere', async () => {
      const address = anAddress();
      await count(`registration:${address}`, 99);
      await register(address, aUser()).expect(201);
      const user = aUser();
      const refused = await register(address, user);
      expectProblem(refused, 429);
      expect(refused.headers['ratelimit-limit']).toBe('100');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(500);
      await register(anAddress(), user).expect(201);
    });
  });

  describe('when the current password is guessed on a signed-in device', () => {
    it('limits it at PATCH /auth/password and DELETE /auth/self, and keeps the session', async () => {
      const user = aUser();
      const address = anAddress();
      const tokens = tokensOf(await register(address, user).expect(201));
      const change = () =>
        client
          .send('patch', '/auth/password', tokens)
          .set('X-Forwarded-For', address)
          .send({ currentPassword: WRONG, newPassword: 'another horse battery' });
      const deletion = () =>
        client
          .send('delete', '/auth/self', tokens)
          .set('X-Forwarded-For', address)
          .send({ password: WRONG });
      for (let i = 0; i < 5; i += 1) {
        await change().expect(401);
        await deletion().expect(401);
      }
      for (const res of [await change(), await deletion(), await login(address, user)]) {
        expectProblem(res, 429);
        expect(clearsCookies(res)).toBe(false);
      }
      await client.self(tokens).expect(200);
      await client.refresh(tokens).expect(200);
    });
  });

  describe('when a login succeeds', () => {
    it('costs one statement more than without limits', async () => {
      const statementsOf = async (overrides: NodeJS.ProcessEnv) => {
        const other = await startService(overrides);
        const there = clientOf(other);
        const user = aUser();
        await there.register(user).expect(201);
        const spy = jest.spyOn(Client.prototype, 'query');
        await there.login(user).expect(200);
        const statements = spy.mock.calls.length;
        spy.mockRestore();
        await other.stop();
        return statements;
      };
      const without = await statementsOf({ RATE_LIMIT_ENABLED: 'false' });
      const limited = await statementsOf({ RATE_LIMIT_ENABLED: 'true' });
      expect(without).toBeGreaterThan(1);
      expect(limited).toBe(without + 1);
    });
  });

  describe('when RATE_LIMIT_ENABLED is false', () => {
    it('limits nothing and counts nothing', async () => {
      const open = await startService({ RATE_LIMIT_ENABLED: 'false' });
      try {
        const there = clientOf(open);
        const user = aUser();
        await there.register(user).expect(201);
        for (let i = 0; i < 12; i += 1) await there.login({ ...user, password: WRONG }).expect(401);
        await there.login(user).expect(200);
        expect(await open.dataSource.query('SELECT FROM rate_limits')).toEqual([]);
      } finally {
        await open.stop();
      }
    });
  });

  describe('when TRUST_PROXY is not set', () => {
    it('ignores X-Forwarded-For, and logs once what to set', async () => {
      const direct = await startService({ RATE_LIMIT_ENABLED: 'true' });
      try {
        const there = clientOf(direct);
        const nobody = aUser();
        const statuses: number[] = [];
        for (let i = 0; i < 11; i += 1) {
          const attempt = there.login({ ...nobody, password: WRONG });
          statuses.push((await attempt.set('X-Forwarded-For', anAddress())).status);
        }
        expect(statuses).toEqual([...times(10, 401), 429]);
        const warnings = direct.logs.filter(({ event }) => event === 'sys_untrusted_proxy');
        expect(warnings).toEqual([
          expect.objectContaining({
            level: 'warn',
            message: expect.stringContaining('TRUST_PROXY') as string,
          }),
        ]);
      } finally {
        await direct.stop();
      }
    });
  });

  describe('when 40 guesses come at once, at two processes', () => {
    it('accepts hardly more than it would one after the other', async () => {
      const database = await createDatabase();
      const settings = { CERTS_DIR: certsDir(), RATE_LIMIT_ENABLED: 'true' };
      const replicas = await Promise.all([
        ServiceProcess.start(database, settings),
        ServiceProcess.start(database, settings),
      ]);
      try {
        const user = aUser();
        await replicas[0].post('/auth/register', {}, user);
        const answers = await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            (i % 2 ? replicas[0] : replicas[1]).post(
              '/auth/login',
              {},
              { ...user, password: `${WRONG} ${i}` },
            ),
          ),
        );
        const statuses = answers.map(({ status }) => status);
        const guessed = statuses.filter((status) => status === 401).length;
        expect(guessed).toBeGreaterThanOrEqual(10);
        // When the tenth failure is counted, one attempt per thread is running.
        expect(guessed).toBeLessThan(10 + 2 * availableParallelism());
        expect(statuses.filter((status) => status === 429)).toHaveLength(40 - guessed);
        for (const replica of replicas)
          expect((await replica.post('/auth/login', {}, user)).status).toBe(429);
      } finally {
        await Promise.all(replicas.map((replica) => replica.stop()));
      }
    });
  });
});
