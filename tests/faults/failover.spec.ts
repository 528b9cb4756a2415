import { clientOf, tokensOf } from '../support/client';
import { expectProblem } from '../support/problem';
import { startLine, type DatabaseLine } from '../support/proxy';
import { startService, type TestService } from '../support/service';

describe('a failover of PostgreSQL', () => {
  let line: DatabaseLine;
  let service: TestService;
  beforeEach(async () => {
    line = await startLine();
    service = await startService({ DB_PORT: String(line.port) });
  });
  afterEach(async () => {
    await service.stop();
    await line.stop();
  });

  describe('when the former primary is frozen and keeps its connections open', () => {
    it('drops all of them after the first deadline', async () => {
      const client = clientOf(service);
      const tokens = tokensOf(await client.register().expect(201));
      // As many connections as there can be.
      const list = () => client.send('get', '/auth/sessions', tokens);
      await Promise.all(Array.from({ length: 20 }, () => list().expect(200)));
      line.freeze();
      expectProblem(await list(), 503);
      for (let i = 0; i < 10; i += 1) await list().expect(200);
    });
  });
});
