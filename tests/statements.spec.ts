import type { EventEmitter } from 'node:events';
import bcrypt from 'bcrypt';
import { Client, type Pool, type PoolClient } from 'pg';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import { User } from '../src/entity/User';
import { aUser, clientOf, tokensOf } from './support/client';
import { startService, type TestService } from './support/service';

const poolOf = ({ dataSource }: TestService) =>
  (dataSource.driver as PostgresDriver).master as Pool;

describe('statements', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  const run: string[] = [];
  let roundTrips = 0;
  let entities = 0;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
    const watched = new Set<EventEmitter>();
    poolOf(service).on('acquire', (acquired: PoolClient) => {
      const { connection } = acquired as PoolClient & { connection: EventEmitter };
      if (watched.has(connection)) return;
      watched.add(connection);
      // The last message of every round trip.
      connection.on('readyForQuery', () => (roundTrips += 1));
    });
    const count = () => {
      entities += 1;
    };
    service.dataSource.subscribers.push({ afterLoad: count, afterInsert: count });
    // Only watched: every statement of every connection passes here.
    const original = Object.getOwnPropertyDescriptor(Client.prototype, 'query')?.value as (
      ...args: unknown[]
    ) => unknown;
    jest.spyOn(Client.prototype, 'query').mockImplementation(function (
      this: Client,
      ...args: unknown[]
    ) {
      const [statement] = args as [string | { text: string }];
      run.push(typeof statement === 'string' ? statement : statement.text);
      return original.apply(this, args);
    });
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await service.stop();
  });

  /** The statements of a request whose connection is already open. */
  const during = async (request: () => PromiseLike<unknown>) => {
    run.length = 0;
    roundTrips = 0;
    entities = 0;
    await request();
    return run.map((text) => text.trim().split(/\s+/)[0]?.toUpperCase());
  };
  const registered = async () => {
    const user = aUser();
    const tokens = tokensOf(await client.register(user).expect(201));
    return { user, tokens };
  };

  describe('when a session is used', () => {
    it('takes one for self', async () => {
      const { tokens } = await registered();
      expect(await during(() => client.self(tokens).expect(200))).toEqual(['SELECT']);
    });

    it('takes one for a refresh that rotates', async () => {
      const { tokens } = await registered();
      expect(await during(() => client.refresh(tokens).expect(200))).toHaveLength(1);
    });

    it('takes at most two for a refresh that replays', async () => {
      const { tokens } = await registered();
      await client.refresh(tokens).expect(200);
      const statements = await during(() => client.refresh(tokens).expect(200));
      expect(statements.length).toBeLessThanOrEqual(2);
    });

    it('takes one for logout', async () => {
      const { tokens } = await registered();
      expect(await during(() => client.logout(tokens).expect(200))).toEqual(['DELETE']);
    });
  });

  describe('when a hot path runs', () => {
    it.each(['self', 'refresh', 'logout'] as const)(
      'takes one round trip and creates no entity for %s',
      async (route) => {
        const { tokens } = await registered();
        await during(() => client[route](tokens).expect(200));
        expect({ roundTrips, entities }).toEqual({ roundTrips: 1, entities: 0 });
      },
    );

    it('takes none for the public keys', async () => {
      await during(() => client.send('get', '/.well-known/jwks.json').expect(200));
      expect({ roundTrips, entities }).toEqual({ roundTrips: 0, entities: 0 });
    });

    it('counts entities and round trips elsewhere', async () => {
      await registered();
      await during(() => service.dataSource.getRepository(User).find({ take: 1 }));
      expect(entities).toBe(1);
      expect(roundTrips).toBeGreaterThan(0);
    });
  });

  describe('when a session is used again and again', () => {
    it('is not planned again, even when it is alone in its statement', async () => {
      let { tokens } = await registered();
      for (let turn = 0; turn < 8; turn += 1) {
        await client.self(tokens).expect(200);
        tokens = tokensOf(await client.refresh(tokens).expect(200));
      }
      const planned = await service.dataSource.query<{ name: string; custom: number }[]>(
        `SELECT name, custom_plans::integer AS custom FROM pg_prepared_statements
         WHERE name IN ('users-by-sessions', 'session-rotate') ORDER BY name`,
      );
      expect(planned).toEqual([
        { name: 'session-rotate', custom: 0 },
        { name: 'users-by-sessions', custom: 0 },
      ]);
    });
  });

  describe('when a session is opened', () => {
    it('takes at most three for login', async () => {
      const { user } = await registered();
      const statements = await during(() => client.login(user).expect(200));
      expect(statements.length).toBeGreaterThan(0);
      expect(statements.length).toBeLessThanOrEqual(3);
    });

    it('takes as many for an unknown e-mail as for a wrong password', async () => {
      const { user } = await registered();
      const wrong = await during(() =>
        client.login({ ...user, password: 'wrong password' }).expect(401),
      );
      const unknown = await during(() => client.login(aUser()).expect(401));
      expect(unknown).toEqual(wrong);
    });

    it('takes one transaction for registration', async () => {
      const statements = await during(() => client.register().expect(201));
      expect(statements.filter((verb) => verb === 'COMMIT').length).toBeLessThanOrEqual(1);
      expect(statements.length).toBeLessThanOrEqual(4);
    });
  });

  describe('when the token is refused before the database is needed', () => {
    it('takes none', async () => {
      const { tokens } = await registered();
      expect(
        await during(async () => {
          await client.self({}).expect(401);
          await client.self({ access: tokens.refresh }).expect(401);
          await client.refresh({ refresh: tokens.access }).expect(401);
          await client.logout({ access: tokens.access }).expect(401);
          await client.register({}).expect(400);
          await client.login({}).expect(400);
        }),
      ).toEqual([]);
    });
  });

  describe('when a password is hashed or verified', () => {
    const heldDuring = async (
      method: 'hash' | 'compare',
      request: () => PromiseLike<unknown>,
    ): Promise<number[]> => {
      const pool = poolOf(service);
      const held: number[] = [];
      const look = () => held.push(pool.totalCount - pool.idleCount + pool.waitingCount);
      const original = bcrypt[method] as (...args: unknown[]) => Promise<unknown>;
      const spy = jest.spyOn(bcrypt, method).mockImplementation((async (...args: unknown[]) => {
        look();
        const result = await original(...args);
        look();
        return result;
      }) as never);
      await request();
      spy.mockRestore();
      return held;
    };

    it('holds no connection, at registration', async () => {
      const held = await heldDuring('hash', () => client.register().expect(201));
      expect(held).toEqual([0, 0]);
    });

    it('holds no connection, at login', async () => {
      const { user } = await registered();
      const held = await heldDuring('compare', () => client.login(user).expect(200));
      expect(held).toEqual([0, 0]);
    });
  });
});
