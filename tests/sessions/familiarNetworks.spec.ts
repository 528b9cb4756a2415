import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { OPEN } from '../../src/database/sessionStatements';
import { aUser, clientOf } from '../support/client';
import { startService, type TestService } from '../support/service';

/** As docs/operations.md says. */
const MAX_NETWORKS = 32;

describe('the networks that a user has signed in from', () => {
  let service: TestService;
  const user = aUser();
  let owner: { id: number; password: string };
  beforeAll(async () => {
    service = await startService({ TRUST_PROXY: '1', RATE_LIMIT_ENABLED: 'false' });
    await clientOf(service).register(user).set('X-Forwarded-For', '10.0.0.1').expect(201);
    [owner] = await service.dataSource.query<[typeof owner]>('SELECT id, password FROM users');
  });
  afterAll(() => service.stop());

  /** `count` networks, the last one used most recently. */
  const remember = (count: number) =>
    service.dataSource.query(
      `INSERT INTO sign_in_networks (user_id, network, last_used_at)
       SELECT id, ('10.0.0.' || n)::inet, now() - make_interval(mins => 1000 - n)
       FROM users, generate_series(1, $2::integer) AS n WHERE email = $1
       ON CONFLICT (user_id, network) DO UPDATE SET last_used_at = excluded.last_used_at`,
      [user.email, count],
    );
  const remembered = async () => {
    const rows = await service.dataSource.query<{ network: string }[]>(
      'SELECT host(network) AS network FROM sign_in_networks ORDER BY last_used_at DESC, network',
    );
    return rows.map(({ network }) => network);
  };
  const loginFrom = (address: string) =>
    clientOf(service).login(user).set('X-Forwarded-For', address).expect(200);

  /** Opens a session as a login does, without the work of its password. */
  const openFrom = (network: string) =>
    service.dataSource.query(OPEN.text, [
      ...[owner.id, owner.password, randomUUID(), 60, null, null],
      ...[network, []],
    ]);

  describe('when there are more of them than are remembered', () => {
    it('keeps the most recently used ones and the one of the login', async () => {
      await remember(200);
      await loginFrom('192.0.2.1');
      const kept = Array.from({ length: MAX_NETWORKS - 1 }, (_value, i) => `10.0.0.${200 - i}`);
      expect(await remembered()).toEqual(['192.0.2.1', ...kept]);
    });

    it('keeps the oldest one if the login comes from there', async () => {
      await remember(200);
      await loginFrom('10.0.0.1');
      const networks = await remembered();
      expect(networks[0]).toBe('10.0.0.1');
      expect(networks).toHaveLength(MAX_NETWORKS);
    });
  });

  describe('when logins from many networks come at the same time', () => {
    it('accepts all of them and stays within the bound', async () => {
      await remember(200);
      await Promise.all(Array.from({ length: 24 }, (_value, i) => openFrom(`192.0.2.${i}`)));
      await loginFrom('192.0.2.99');
      expect((await remembered()).length).toBeLessThanOrEqual(MAX_NETWORKS);
    });

    it('never deadlocks when they come from networks that are about to be forgotten', async () => {
      for (let round = 0; round < 20; round += 1) {
        await remember(200);
        // A deadlock rejects one of them.
        await Promise.all(Array.from({ length: 10 }, (_value, i) => openFrom(`10.0.0.${i + 1}`)));
      }
    });
  });

  describe('when the user signs in from any networks in any order', () => {
    it('remembers the most recently used ones', async () => {
      const logins = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 50, maxLength: 90 });
      await fc.assert(
        fc.asyncProperty(logins, async (hosts) => {
          await service.dataSource.query('DELETE FROM sign_in_networks');
          for (const host of hosts) await openFrom(`10.0.1.${host}`);
          const lastFirst = new Set(hosts.map((host) => `10.0.1.${host}`).reverse());
          expect(await remembered()).toEqual([...lastFirst].slice(0, MAX_NETWORKS));
        }),
        { numRuns: 5, endOnFailure: true },
      );
    });
  });
});
