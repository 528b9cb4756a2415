import path from 'node:path';
import { createDataSource } from '../../src/config/data-source';
import { Database } from '../../src/database/Database';
import { User } from '../../src/entity/User';
import { noMetrics } from '../../src/metrics/noMetrics';
import { runNode } from '../harness/runNode';
import { until } from '../harness/until';
import { aUser, clientOf, tokensOf } from '../support/client';
import { OwnPostgres } from '../support/ownPostgres';
import { ServiceProcess } from '../support/process';
import { environmentFor, startService } from '../support/service';

const POOLED = { DB_POOLER: 'transaction' };

describe('DB_POOLER=transaction', () => {
  let postgres: OwnPostgres;
  const started: ServiceProcess[] = [];
  beforeAll(async () => {
    postgres = await OwnPostgres.start();
  }, 60_000);
  afterAll(async () => {
    await Promise.all(started.map((service) => service.stop('SIGKILL')));
    await postgres.remove();
  });

  const spawned = async () => {
    const service = await ServiceProcess.spawn(postgres.database, POOLED);
    started.push(service);
    return service;
  };
  const missingIn = async (service: ServiceProcess) => {
    await until(async () => (await service.get('/health/ready')).status === 200, 'ready');
    return service.logs.filter(({ event }) => event === 'sys_role_setting');
  };

  it('prepares no statement by name', async () => {
    const service = await startService(POOLED);
    try {
      const client = clientOf(service);
      const user = aUser();
      const tokens = tokensOf(await client.register(user).expect(201));
      await client.self(tokens).expect(200);
      await client.logout(tokensOf(await client.refresh(tokens).expect(200))).expect(200);
      await client.login(user).expect(200);
      const prepared = await service.dataSource.query<object[]>(
        'SELECT name FROM pg_prepared_statements',
      );
      expect(prepared).toEqual([]);
    } finally {
      await service.stop();
    }
  });

  it('names each setting that the role lacks, with the statement that mends it', async () => {
    await postgres.run(`ALTER ROLE service SET intervalstyle = 'iso_8601'`);
    const missing = await missingIn(await spawned());
    expect(missing.map(({ setting }) => setting)).toEqual(
      expect.arrayContaining(['intervalstyle', 'search_path', 'statement_timeout', 'lock_timeout']),
    );
    for (const { statement } of missing) await postgres.run(String(statement));
    expect(await missingIn(await spawned())).toEqual([]);
  });

  it('refuses to start where transactions are isolated in another way', async () => {
    await postgres.run(`ALTER ROLE service SET default_transaction_isolation = 'serializable'`);
    const service = await spawned();
    await until(() => service.exitCode !== null, 'the exit');
    expect(service.exitCode).toBe(1);
    expect(service.stderr).toContain(
      `ALTER ROLE service SET default_transaction_isolation = 'read committed'`,
    );
  });

  it('is unavailable while TypeORM has a connection and knows no entity yet', async () => {
    const dataSource = createDataSource(postgres.database);
    await dataSource.driver.connect();
    const database = new Database(dataSource, noMetrics);
    const failures = await Promise.allSettled([
      database.query({ name: 'one', text: 'SELECT 1' }, []),
      database.entities((manager) => manager.find(User)),
    ]);
    for (const failure of failures)
      expect(failure).toMatchObject({
        status: 'rejected',
        reason: { message: 'Driver not Connected' },
      });
    await dataSource.driver.disconnect();
  });

  it.each([
    ['migrate', 'run'],
    ['database', 'create'],
  ])('is refused by the command %s', (name, action) => {
    const command = path.join(process.env.TEST_BUILD ?? '', `commands/${name}.js`);
    const { code, stdout, stderr } = runNode(
      [command, action],
      environmentFor(postgres.database, POOLED),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^DB_POOLER must be none here[^\n]*\n$/);
  });
});
