import { createServer } from 'node:net';
import { once } from 'node:events';
import { familyOf } from './harness/familyOf';
import { isUp } from './harness/isUp';
import { until } from './harness/until';
import { ServiceProcess } from './support/process';
import { createDatabase } from './support/service';

/** The child processes. */
const childrenOf = (pid: number) => familyOf(pid).slice(1);

describe('WEB_CONCURRENCY=2', () => {
  const start = async () => ServiceProcess.start(await createDatabase(), { WEB_CONCURRENCY: '2' });
  const twoWorkers = (pid: number) => until(() => childrenOf(pid).length === 2, 'two workers');

  describe('when a worker is killed', () => {
    it('keeps serving and replaces it', async () => {
      const service = await start();
      // A worker that ends before it listens is not replaced.
      const listening = () => service.logs.filter(({ event }) => event === 'sys_startup');
      await until(() => listening().length === 2, 'two workers listen');
      const [victim = 0] = childrenOf(service.pid);
      process.kill(victim, 'SIGKILL');
      await until(() => !childrenOf(service.pid).includes(victim), 'the worker is gone');
      // A connection to the dead worker fails once; a new one reaches the other worker.
      await until(async () => (await service.get('/health/live')).status === 200, 'an answer');
      await twoWorkers(service.pid);
      expect(await service.stop()).toBe(0);
    });
  });

  describe('when it gets SIGTERM', () => {
    it('ends with all its workers and exit code 0', async () => {
      const service = await start();
      await twoWorkers(service.pid);
      const workers = childrenOf(service.pid);
      expect(await service.stop()).toBe(0);
      expect(workers.filter(isUp)).toEqual([]);
    });
  });

  describe('when the primary process is killed', () => {
    it('ends all workers', async () => {
      const service = await start();
      await twoWorkers(service.pid);
      const workers = childrenOf(service.pid);
      await service.stop('SIGKILL');
      await until(() => !workers.some(isUp), 'the workers are gone');
    });
  });

  describe('when the workers cannot start', () => {
    it('ends with exit code 1 and the reason', async () => {
      const occupant = createServer().listen(0);
      await once(occupant, 'listening');
      const { port } = occupant.address() as { port: number };
      const overrides = { WEB_CONCURRENCY: '2', PORT: String(port) };
      const service = await ServiceProcess.spawn(await createDatabase(), overrides);
      await until(() => service.exitCode !== null, 'it ends');
      expect(service.exitCode).toBe(1);
      expect(service.stderr).toContain(`port ${String(port)} is taken`);
      occupant.close();
    });
  });
});
