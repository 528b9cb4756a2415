import { aUser, type NewUser, type Tokens } from '../support/client';
import { OwnPostgres } from '../support/ownPostgres';
import { certsDir } from '../harness/certsDir';
import { until } from '../harness/until';
import { ServiceProcess, type Answer } from '../support/process';

/** PgBouncer connects again 15 s after a failure, by default. */
const POOLER_PATIENCE = process.env.TEST_POOLER === undefined ? 0 : 15_000;

/** In milliseconds, both. */
const ANSWER_LIMIT = 5_000;
const RECOVERY_LIMIT = 5_000 + POOLER_PATIENCE;

interface Account {
  user: NewUser;
  tokens: Tokens;
}

interface Outage {
  what: string;
  strike: () => Promise<unknown>;
  mend: () => Promise<unknown>;
  /** Whether it can still be read. */
  readable?: boolean;
}

/** The response, if it comes within the limit. */
async function inTime(what: string, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${ANSWER_LIMIT} ms: ${what}`));
    }, ANSWER_LIMIT);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function expectUnavailable(what: string, { status, headers, body, tokens }: Answer): void {
  expect([what, status]).toEqual([what, 503]);
  expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status: 503, instance: headers.get('x-request-id') });
  expect(body.errors).toHaveLength(1);
  expect([what, tokens]).toEqual([what, { access: undefined, refresh: undefined }]);
}

describe('an outage of PostgreSQL', () => {
  let postgres: OwnPostgres;
  let settings: NodeJS.ProcessEnv;
  let replicas: [ServiceProcess, ServiceProcess];
  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    settings = { CERTS_DIR: certsDir(), RATE_LIMIT_ENABLED: 'true' };
    replicas = await Promise.all([
      ServiceProcess.start(postgres.database, settings),
      ServiceProcess.start(postgres.database, settings),
    ]);
  }, 60_000);
  afterAll(async () => {
    postgres.thaw();
    await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
    await postgres.remove();
  });

  const account = async (): Promise<Account> => {
    const user = aUser();
    const { status, tokens } = await replicas[0].post('/auth/register', {}, user);
    expect(status).toBe(201);
    return { user, tokens };
  };

  /** One of each kind of request that writes. */
  const requests = (service: ServiceProcess, { user, tokens }: Account, spent: Account) => ({
    register: service.post('/auth/register', {}, aUser()),
    'right login': service.post('/auth/login', {}, user),
    refresh: service.post('/auth/refresh', tokens),
    rename: service.send('PATCH', '/auth/self', tokens, { firstName: 'Augusta' }),
    // A frozen server executes later what it has received, so this account may get deleted.
    logout: service.post('/auth/logout', spent.tokens),
    'password change': service.send('PATCH', '/auth/password', spent.tokens, {
      currentPassword: spent.user.password,
      newPassword: 'another horse battery',
    }),
    deletion: service.send('DELETE', '/auth/self', spent.tokens, {
      password: spent.user.password,
    }),
  });
  /** Requests that a read-only database can serve. */
  const reads = (service: ServiceProcess, { user, tokens }: Account) => ({
    self: service.get('/auth/self', tokens),
    sessions: service.get('/auth/sessions', tokens),
    'wrong login': service.post('/auth/login', {}, { ...user, password: 'not that one' }),
    'unknown login': service.post('/auth/login', {}, aUser()),
  });

  const expectAllUnavailable = async (pending: Record<string, Promise<Answer>>) => {
    const answers = await Promise.all(
      Object.entries(pending).map(
        async ([what, answer]) => [what, await inTime(what, answer)] as const,
      ),
    );
    for (const [what, answer] of answers) expectUnavailable(what, answer);
  };

  /** The service is live but not ready. */
  const expectNotReady = async (service: ServiceProcess) => {
    const live = await inTime('live', service.get('/health/live'));
    expect(live.status).toBe(200);
    expectUnavailable('ready', await inTime('ready', service.get('/health/ready')));
  };

  const expectRecovery = async ({ user, tokens }: Account) => {
    await Promise.all(
      replicas.map((replica) =>
        until(
          async () => (await replica.get('/health/ready')).status === 200,
          'ready',
          RECOVERY_LIMIT,
        ),
      ),
    );
    const [one, other] = replicas;
    expect((await one.get('/auth/self', tokens)).status).toBe(200);
    const refreshed = await other.post('/auth/refresh', tokens);
    expect(refreshed.status).toBe(200);
    expect((await one.get('/auth/self', refreshed.tokens)).status).toBe(200);
    expect((await other.post('/auth/login', {}, user)).status).toBe(200);
    expect((await one.post('/auth/register', {}, aUser())).status).toBe(201);
    for (const replica of replicas) {
      expect(replica.exitCode).toBeNull();
      expect(replica.logs.filter(({ code }) => code === 'internal-error')).toEqual([]);
    }
  };

  describe.each<Outage>([
    {
      what: 'is down',
      strike: () => postgres.stop(),
      mend: () => postgres.start(),
    },
    {
      what: 'was killed and starts again on its folder',
      strike: () => postgres.kill(),
      mend: () => postgres.start(),
    },
    {
      what: 'hangs',
      strike: () => postgres.freeze(),
      mend: () => {
        postgres.thaw();
        return Promise.resolve();
      },
    },
    {
      what: 'has no connection left',
      strike: async () => {
        await postgres.run('ALTER ROLE service CONNECTION LIMIT 0');
        await postgres.disconnect();
      },
      mend: () => postgres.run('ALTER ROLE service CONNECTION LIMIT -1'),
    },
    {
      what: 'is read-only',
      strike: async () => {
        await postgres.run('ALTER DATABASE service SET default_transaction_read_only = on');
        await postgres.disconnect();
      },
      mend: async () => {
        await postgres.run('ALTER DATABASE service RESET default_transaction_read_only');
        await postgres.disconnect();
      },
      readable: true,
    },
  ])('when it $what', ({ strike, mend, readable }) => {
    it('responds with 503 in time, keeps every cookie, and recovers without a loss', async () => {
      const accounts = await Promise.all([account(), account()]);
      const spent = await account();
      await strike();
      try {
        await Promise.all(
          replicas.map(async (replica, i) => {
            const of = accounts[i] ?? spent;
            await Promise.all([
              expectAllUnavailable(requests(replica, of, spent)),
              ...(readable === true ? [] : [expectAllUnavailable(reads(replica, of))]),
              expectNotReady(replica),
            ]);
            // Also after the pool has noticed that all its connections are dead.
            await Promise.all([
              expectAllUnavailable(requests(replica, of, spent)),
              expectNotReady(replica),
            ]);
          }),
        );
      } finally {
        await mend();
      }
      for (const one of accounts) await expectRecovery(one);
    }, 60_000);
  });

  describe('when it hangs and there are more requests than connections', () => {
    it('responds to each of them in time', async () => {
      const { tokens } = await account();
      await postgres.freeze();
      try {
        const waves = Array.from({ length: 4 }, async (_, wave) => {
          // Each wave arrives while the one before still waits.
          if (wave > 0) await inTime('live', replicas[0].get('/health/live'));
          const crowd = Array.from({ length: 15 }, () => replicas[0].get('/auth/self', tokens));
          await expectAllUnavailable(Object.fromEntries(crowd.entries()));
        });
        await Promise.all(waves);
      } finally {
        postgres.thaw();
      }
      await until(
        async () => (await replicas[0].get('/auth/self', tokens)).status === 200,
        'self',
        RECOVERY_LIMIT,
      );
    });
  });

  describe('when it is killed under load', () => {
    it('responds only with success or 503, and loses nothing that was acknowledged', async () => {
      let over = false;
      const acknowledged: NewUser[] = [];
      const latest: Tokens[] = [];
      const statuses = new Set<number>();
      const registering = async (replica: ServiceProcess) => {
        while (!over) {
          const user = aUser();
          const { status } = await replica.post('/auth/register', {}, user);
          statuses.add(status);
          if (status === 201) acknowledged.push(user);
        }
      };
      const refreshing = async (replica: ServiceProcess) => {
        let { tokens } = await account();
        while (!over) {
          const answer = await replica.post('/auth/refresh', tokens);
          statuses.add(answer.status);
          if (answer.status === 200) ({ tokens } = answer);
        }
        latest.push(tokens);
      };
      const load = replicas.flatMap((replica) => [registering(replica), refreshing(replica)]);
      await until(() => acknowledged.length > 5, 'load');
      await postgres.kill();
      await until(() => statuses.has(503), 'refusals');
      await postgres.start();
      const before = acknowledged.length;
      await until(() => acknowledged.length > before, 'load again', RECOVERY_LIMIT);
      over = true;
      await Promise.all(load);

      expect([...statuses].sort()).toEqual([200, 201, 503]);
      for (const user of acknowledged)
        expect((await replicas[0].post('/auth/login', {}, user)).status).toBe(200);
      for (const tokens of latest)
        expect((await replicas[1].post('/auth/refresh', tokens)).status).toBe(200);
    });
  });

  describe('when it accepts no writes and passwords are guessed', () => {
    it('still limits the guesses', async () => {
      const { user } = await account();
      const guess = () => replicas[0].post('/auth/login', {}, { ...user, password: 'a guess' });
      await postgres.run('ALTER DATABASE service SET default_transaction_read_only = on');
      await postgres.disconnect();
      try {
        const statuses: number[] = [];
        for (let i = 0; i < 12; i += 1) statuses.push((await guess()).status);
        // One of them may use a connection that has just died.
        expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
        expect(statuses.slice(-1)).toEqual([429]);
      } finally {
        await postgres.run('ALTER DATABASE service RESET default_transaction_read_only');
        await postgres.disconnect();
      }
    });
  });

  describe('when the service is told to stop while it hangs', () => {
    it('answers what it has accepted, and exits with 0 within 10 s', async () => {
      const service = await ServiceProcess.start(postgres.database, {
        ...settings,
        DRAIN_TIMEOUT_SECONDS: '9',
      });
      const { tokens } = await account();
      await postgres.freeze();
      try {
        const waiting = service.get('/auth/self', tokens);
        await until(async () => (await service.get('/health/live')).status === 200, 'live');
        const began = Date.now();
        const [answer, code] = await Promise.all([waiting, service.stop('SIGTERM')]);
        expectUnavailable('self', answer);
        expect(code).toBe(0);
        expect(Date.now() - began).toBeLessThan(10_000);
      } finally {
        postgres.thaw();
      }
    });
  });

  describe('when it is away at the start of the service', () => {
    it('listens at once, responds with 503, and becomes ready when the database is there', async () => {
      const { database } = postgres;
      const { user, tokens } = await account();
      await postgres.stop();
      const service = await ServiceProcess.spawn(database, settings);
      try {
        await until(async () => (await service.get('/health/live')).status === 200, 'live');
        await expectNotReady(service);
        await expectAllUnavailable({
          self: service.get('/auth/self', tokens),
          login: service.post('/auth/login', {}, user),
          register: service.post('/auth/register', {}, aUser()),
          refresh: service.post('/auth/refresh', tokens),
        });
        const away = ({ message }: Record<string, unknown>) =>
          message === 'the database is away; trying again';
        await until(() => service.logs.some(away), 'the warning');
        await postgres.start();
        await until(
          async () => (await service.get('/health/ready')).status === 200,
          'ready',
          RECOVERY_LIMIT,
        );
        expect(service.logs.filter(away)).toHaveLength(1);
        expect((await service.post('/auth/login', {}, user)).status).toBe(200);
        expect(await service.stop()).toBe(0);
      } finally {
        await service.stop('SIGKILL');
      }
    });

    it('stops on SIGTERM', async () => {
      await postgres.stop();
      const service = await ServiceProcess.spawn(postgres.database, settings);
      try {
        await until(async () => (await service.get('/health/live')).status === 200, 'live');
        expect(await service.stop()).toBe(0);
      } finally {
        await service.stop('SIGKILL');
        await postgres.start();
      }
    });
  });

  describe('when the connections lead to a read-only server', () => {
    it('replaces all of them', async () => {
      await postgres.run('ALTER DATABASE service SET default_transaction_read_only = on');
      const service = await ServiceProcess.spawn(postgres.database, settings);
      try {
        await until(async () => (await service.get('/health/live')).status === 200, 'live');
        // Fills the pool.
        const logins = Array.from({ length: 20 }, () => service.post('/auth/login', {}, aUser()));
        await Promise.all([...logins, expectNotReady(service)]);
        // Open connections keep the old setting.
        await postgres.run('ALTER DATABASE service RESET default_transaction_read_only');
        await until(
          async () => (await service.get('/health/ready')).status === 200,
          'ready',
          RECOVERY_LIMIT,
        );
        const registrations = Array.from({ length: 20 }, () =>
          service.post('/auth/register', {}, aUser()),
        );
        const statuses = (await Promise.all(registrations)).map(({ status }) => status);
        expect(new Set(statuses)).toEqual(new Set([201]));
      } finally {
        await service.stop('SIGKILL');
        await postgres.run('ALTER DATABASE service RESET default_transaction_read_only');
      }
    });
  });
});
