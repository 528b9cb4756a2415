import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { decode } from 'jsonwebtoken';
import { aUser } from '../support/client';
import { certsDir } from '../harness/certsDir';
import { until } from '../harness/until';
import { ServiceProcess } from '../support/process';
import { createDatabase } from '../support/service';
import { keysCommand, rotate, setOf } from './folder';

/** A separate project: the build, and these settings in its .env.prod. */
function projectWith(settings: string): string {
  const project = mkdtempSync(path.join(os.tmpdir(), 'auth-service-project-'));
  cpSync(process.env.TEST_BUILD ?? '', path.join(project, 'dist'), { recursive: true });
  symlinkSync(path.join(__dirname, '../../node_modules'), path.join(project, 'node_modules'));
  writeFileSync(path.join(project, '.env.prod'), settings);
  return project;
}

const kidOf = (token = '') => decode(token, { complete: true })?.header.kid;

const publishedKids = async (service: ServiceProcess) => {
  const { body } = await service.get('/.well-known/jwks.json');
  return (body.keys as { kid: string }[]).map(({ kid }) => kid);
};

describe('a running service', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  beforeAll(async () => {
    database = await createDatabase();
  });

  describe('when the folder that two replicas share goes through a rotation', () => {
    let dir: string;
    let replicas: [ServiceProcess, ServiceProcess];
    beforeAll(async () => {
      dir = certsDir();
      const settings = { CERTS_DIR: dir };
      replicas = await Promise.all([
        ServiceProcess.start(database, settings),
        ServiceProcess.start(database, settings),
      ]);
    });
    afterAll(async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      rmSync(dir, { recursive: true });
    });

    it('follows it on SIGHUP and by polling, and each replica accepts the tokens of the other', async () => {
      const [hangedUp, polling] = replicas;
      const { tokens: old } = await hangedUp.post('/auth/register', {}, aUser());
      const [oldKid] = await publishedKids(polling);

      rotate(dir, ['publish']);
      hangedUp.signal('SIGHUP');
      for (const replica of replicas) {
        await until(async () => (await publishedKids(replica)).length === 2, 'the next key');
      }
      expect(await publishedKids(hangedUp)).toEqual(await publishedKids(polling));

      rotate(dir, ['activate', '--force']);
      hangedUp.signal('SIGHUP');
      await until(async () => (await publishedKids(hangedUp))[0] !== oldKid, 'the change');
      const { tokens: fresh } = await hangedUp.post('/auth/refresh', old);
      expect(kidOf(old.access)).toBe(oldKid);
      expect(kidOf(fresh.access)).toBe((await setOf(dir)).signing.kid);

      // The other may not have read the folder yet, but knows the key as the next one.
      for (const replica of replicas) {
        for (const access of [old.access, fresh.access]) {
          expect((await replica.get('/auth/self', { access })).status).toBe(200);
        }
      }
      await until(async () => (await publishedKids(polling))[0] !== oldKid, 'the change');

      rotate(dir, ['retire', '--force']);
      hangedUp.signal('SIGHUP');
      await until(async () => (await publishedKids(hangedUp)).length === 1, 'the end of the old');
      expect((await hangedUp.get('/auth/self', { access: old.access })).status).toBe(401);
      expect((await hangedUp.get('/auth/self', { access: fresh.access })).status).toBe(200);
    }, 60_000);
  });

  describe('when CERTS_DIR is in .env.prod and the built command rotates', () => {
    let project: string;
    let service: ServiceProcess;
    beforeAll(async () => {
      project = projectWith(`CERTS_DIR=keys\n`);
      renameSync(certsDir(), path.join(project, 'keys'));
      service = await ServiceProcess.start(database, {}, project);
    });
    afterAll(async () => {
      await service.stop();
      rmSync(project, { recursive: true });
    });

    it('replaces the key of the running service, and the old one no longer verifies', async () => {
      const dir = path.join(project, 'keys');
      const { tokens: old } = await service.post('/auth/register', {}, aUser());
      for (const args of [['publish'], ['activate', '--force'], ['retire', '--force']]) {
        const run = await keysCommand(path.join(project, 'dist'), args);
        expect(run).toMatchObject({ code: 0, stderr: '' });
        expect(run.stdout).toContain(`folder   ${dir}\n`);
      }
      service.signal('SIGHUP');
      const { kid } = (await setOf(dir)).signing;
      expect(kid).not.toBe(kidOf(old.access));
      await until(async () => (await publishedKids(service)).join() === kid, 'the new key alone');
      const { tokens: fresh } = await service.post('/auth/refresh', old);
      expect(kidOf(fresh.access)).toBe(kid);
      expect((await service.get('/auth/self', { access: old.access })).status).toBe(401);
      expect((await service.get('/auth/self', { access: fresh.access })).status).toBe(200);
    }, 60_000);
  });

  it('starts from PRIVATE_KEY without any folder', async () => {
    const { privateKey } = (await setOf(certsDir())).signing;
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const service = await ServiceProcess.start(database, {
      CERTS_DIR: '/nowhere',
      PRIVATE_KEY: Buffer.from(pem).toString('base64'),
    });
    expect(await publishedKids(service)).toHaveLength(1);
    service.signal('SIGHUP');
    const { status } = await service.post('/auth/register', {}, aUser());
    expect(status).toBe(201);
    expect(await service.stop()).toBe(0);
  });

  it('does not start without keys, and names the command that creates them', async () => {
    const dir = certsDir();
    rmSync(path.join(dir, 'private.pem'));
    const service = await ServiceProcess.spawn(database, { CERTS_DIR: dir });
    await until(() => service.exitCode !== null, 'the end');
    expect(service.exitCode).toBe(1);
    expect(service.stderr).toContain('make the keys with "node scripts/generateKeys.mjs"');
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('verifies refresh tokens of the previous secret, and signs with the new one', async () => {
    const [first, second] = [
      'the first secret of all: 0123456789',
      'the second secret of all: 9876543210',
    ];
    const settings = { CERTS_DIR: certsDir() };
    const before = await ServiceProcess.start(database, {
      ...settings,
      REFRESH_JWT_SECRET: first,
    });
    const { tokens: old } = await before.post('/auth/register', {}, aUser());
    const { tokens: other } = await before.post('/auth/register', {}, aUser());
    await before.stop();

    const during = await ServiceProcess.start(database, {
      ...settings,
      REFRESH_JWT_SECRET: second,
      REFRESH_JWT_SECRET_PREVIOUS: first,
    });
    const { status, tokens: fresh } = await during.post('/auth/refresh', old);
    expect(status).toBe(200);
    await during.stop();

    const after = await ServiceProcess.start(database, {
      ...settings,
      REFRESH_JWT_SECRET: second,
    });
    expect((await after.post('/auth/refresh', fresh)).status).toBe(200);
    expect((await after.post('/auth/refresh', other)).status).toBe(401);
    await after.stop();
  }, 60_000);
});
