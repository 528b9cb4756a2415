import { createLogger } from '../../src/config/logger';
import { createPurge } from '../../src/services';
import { aUser, clientOf, tokensOf } from '../support/client';
import { until } from '../harness/until';
import { startService, type TestService } from '../support/service';

describe('the purge of expired sessions', () => {
  let service: TestService;
  beforeEach(async () => {
    service = await startService();
  });
  afterEach(() => service.stop());

  const purgeOf = () => {
    const logger = createLogger({ logLevel: 'error', auditLogFile: undefined });
    return createPurge({ ...service, logger });
  };
  const expire = (count: number) =>
    service.dataSource.query(
      `INSERT INTO refresh_tokens (user_id, session_id, session_started_at, expires_at)
       SELECT (SELECT min(id) FROM users), gen_random_uuid(), now(), now() - interval '1 second'
       FROM generate_series(1, $1)`,
      [count],
    );
  const rows = async () => {
    const [row] = await service.dataSource.query<{ count: number }[]>(
      'SELECT count(*)::integer FROM refresh_tokens',
    );
    return row?.count;
  };

  describe('when more than a batch has expired', () => {
    it('deletes all expired sessions and no live one', async () => {
      const client = clientOf(service);
      const tokens = tokensOf(await client.register(aUser()).expect(201));
      await expire(2_500);
      expect(await purgeOf().run()).toBe(2_500);
      expect(await rows()).toBe(1);
      await client.refresh(tokens).expect(200);
    });
  });

  describe('when two replicas purge at once', () => {
    it('deletes each row once', async () => {
      await clientOf(service).register().expect(201);
      await expire(5_000);
      const purged = await Promise.all([purgeOf().run(), purgeOf().run()]);
      expect(purged[0] + purged[1]).toBe(5_000);
      expect(await rows()).toBe(1);
    });
  });

  describe('when a row is locked', () => {
    it('skips it', async () => {
      await clientOf(service).register().expect(201);
      await expire(3);
      await service.dataSource.transaction(async (manager) => {
        await manager.query(
          'SELECT FROM refresh_tokens WHERE expires_at <= now() LIMIT 1 FOR UPDATE',
        );
        expect(await purgeOf().run()).toBe(2);
      });
      expect(await purgeOf().run()).toBe(1);
    });
  });

  describe('when it runs by itself', () => {
    it('purges again and again, until it is stopped', async () => {
      await clientOf(service).register().expect(201);
      const purge = purgeOf();
      purge.start(0.01);
      for (const count of [1, 2]) {
        await expire(count);
        await until(async () => (await rows()) === 1, 'the purge');
      }
      await purge.stop();
    });
  });
});
