import { createDataSource, MIGRATION_OPTIONS } from '../../src/config/data-source';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { OwnPostgres } from '../support/ownPostgres';
import { ServiceProcess } from '../support/process';

describe('a role with the rights that docs/operations.md gives it', () => {
  it('is enough for every route and the clean-up, and owns nothing', async () => {
    const postgres = await OwnPostgres.start();
    const { database } = postgres;
    for (const role of ['auth_owner', 'auth'])
      await postgres.run(`CREATE ROLE ${role} LOGIN PASSWORD '${database.password}'`);
    await postgres.run('CREATE DATABASE auth OWNER auth_owner');
    const asOwner = { ...database, name: 'auth', username: 'auth_owner' };
    const dataSource = await createDataSource(asOwner, MIGRATION_OPTIONS).initialize();
    await dataSource.query(
      'ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO auth',
    );
    await dataSource.query('ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO auth');
    await dataSource.runMigrations();
    await dataSource.destroy();

    const service = await ServiceProcess.start(
      { ...database, name: 'auth', username: 'auth' },
      { RATE_LIMIT_ENABLED: 'true', SESSION_PURGE_INTERVAL_SECONDS: '1' },
    );
    try {
      const user = aUser();
      const { tokens } = await service.post('/auth/register', {}, user);
      const refreshed = await service.post('/auth/refresh', tokens);
      const changed = await service.send('PATCH', '/auth/self', refreshed.tokens, {
        firstName: 'Augusta',
      });
      const wrong = await service.post('/auth/login', {}, { ...user, password: 'not that one' });
      const ended = await service.post('/auth/logout', refreshed.tokens);
      const login = await service.post('/auth/login', {}, user);
      const deleted = await service.send('DELETE', '/auth/self', login.tokens, {
        password: user.password,
      });
      expect(
        [refreshed, changed, wrong, ended, login, deleted].map(({ status }) => status),
      ).toEqual([200, 200, 401, 200, 200, 200]);
      const expired = `INSERT INTO rate_limits (key, points, expire) VALUES ('old', 1, 0)`;
      await postgres.run(expired, 'auth');
      const left = `SELECT FROM rate_limits WHERE key = 'old'`;
      await until(async () => (await postgres.run(left, 'auth')).length === 0, 'the clean-up');
    } finally {
      await service.stop('SIGKILL');
      await postgres.remove();
    }
  }, 60_000);
});
