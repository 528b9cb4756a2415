import type { Config } from '../../src/config';
import { aUser, type NewUser, type Tokens } from '../support/client';
import { certsDir } from '../harness/certsDir';
import { until } from '../harness/until';
import { ServiceProcess } from '../support/process';
import { createDatabase } from '../support/service';

describe('a service that is killed under load', () => {
  let database: Config['database'];
  let survivor: ServiceProcess;
  const settings = { CERTS_DIR: certsDir() };
  beforeAll(async () => {
    database = await createDatabase();
    survivor = await ServiceProcess.start(database, settings);
  });
  afterAll(() => survivor.stop());

  describe.each([1, 2, 3])('when it is killed, round %s', () => {
    it('loses no registration and no refresh that it acknowledged', async () => {
      const victim = await ServiceProcess.start(database, settings);
      const acknowledged: NewUser[] = [];
      const latest: Tokens[] = [];
      const statuses = new Set<number>();
      let refreshes = 0;

      /** Both run until a request gets no response. */
      const registering = async () => {
        for (;;) {
          const user = aUser();
          const { status } = await victim.post('/auth/register', {}, user);
          if (status === 0) return;
          statuses.add(status);
          acknowledged.push(user);
        }
      };
      const refreshing = async () => {
        let { tokens } = await survivor.post('/auth/register', {}, aUser());
        for (;;) {
          const answer = await victim.post('/auth/refresh', tokens);
          if (answer.status === 0) break;
          statuses.add(answer.status);
          ({ tokens } = answer);
          refreshes += 1;
        }
        latest.push(tokens);
      };
      const load = [
        ...Array.from({ length: 3 }, registering),
        ...Array.from({ length: 5 }, refreshing),
      ];
      await until(() => acknowledged.length >= 6 && refreshes >= 50, 'load');
      expect(await victim.stop('SIGKILL')).toBeNull();
      await Promise.all(load);

      expect([...statuses].sort()).toEqual([200, 201]);
      for (const user of acknowledged)
        expect((await survivor.post('/auth/login', {}, user)).status).toBe(200);
      expect(latest).toHaveLength(5);
      for (const tokens of latest) {
        const again = await survivor.post('/auth/refresh', tokens);
        expect(again.status).toBe(200);
        expect((await survivor.get('/auth/self', again.tokens)).status).toBe(200);
      }
    });
  });
});
