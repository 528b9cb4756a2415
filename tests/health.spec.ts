import { clientOf } from './support/client';
import { expectProblem } from './support/problem';
import { startLine, type DatabaseLine } from './support/proxy';
import { startService, type TestService } from './support/service';

const LIVE = '/health/live';
const READY = '/health/ready';

describe('health', () => {
  const running: TestService[] = [];
  const started = async (...args: Parameters<typeof startService>) => {
    const service = await startService(...args);
    running.push(service);
    return { service, client: clientOf(service) };
  };
  let line: DatabaseLine | undefined;
  afterAll(async () => {
    await Promise.all(running.map((service) => service.stop()));
    await line?.stop();
  });

  describe('when everything works', () => {
    it('is live and ready', async () => {
      const { client } = await started();
      for (const path of [LIVE, READY]) {
        await client.send('get', path).expect(200);
        await client.send('head', path).expect(200);
      }
    });

    it('responds with 405 to other methods', async () => {
      const { client } = await started();
      for (const path of [LIVE, READY]) {
        const res = await client.send('post', path);
        expectProblem(res, 405);
        expect(res.headers.allow).toBe('GET, HEAD');
      }
    });
  });

  describe('while draining', () => {
    it('is not ready, but live and still serving', async () => {
      const { service, client } = await started();
      await client.send('get', READY).expect(200);
      service.lifecycle.draining = true;
      expectProblem(await client.send('get', READY), 503);
      await client.send('get', LIVE).expect(200);
      await client.register().expect(201);
    });
  });

  describe('when the schema is missing', () => {
    it('is live but not ready on an empty database', async () => {
      const { client } = await started({}, 'template1');
      expectProblem(await client.send('get', READY), 503);
      await client.send('get', LIVE).expect(200);
    });

    it('is not ready while a migration is pending, and ready once it has run', async () => {
      const { service, client } = await started();
      await service.dataSource.undoLastMigration();
      expectProblem(await client.send('get', READY), 503);
      await service.dataSource.runMigrations();
      await client.send('get', READY).expect(200);
    });
  });

  describe('when a newer replica has migrated further', () => {
    it('stays ready', async () => {
      const { service, client } = await started();
      await service.dataSource.query(
        "INSERT INTO migrations (timestamp, name) VALUES (1999999999999, 'Later1999999999999')",
      );
      await client.send('get', READY).expect(200);
    });
  });

  describe('when the database is away', () => {
    it('is live but not ready, and ready again when it is back', async () => {
      line = await startLine();
      const { client } = await started({ DB_PORT: String(line.port) });
      await client.send('get', READY).expect(200);
      await line.cut();
      expectProblem(await client.send('get', READY), 503);
      await client.send('get', LIVE).expect(200);
      await line.mend();
      let last = await client.send('get', READY);
      // After a connection dies, the next query on the pool may fail once.
      if (last.status !== 200) last = await client.send('get', READY);
      expect(last.status).toBe(200);
    });
  });
});
