import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { KeyRing } from '../../src/keys/KeyRing';
import { certsDir } from '../harness/certsDir';
import { until } from '../harness/until';
import { capturingLogger } from '../support/capturingLogger';
import { rotate, setOf } from './folder';

const pem = (dir: string, file: string) => readFileSync(path.join(dir, file), 'utf8');

const ofFolder = (dir: string) =>
  KeyRing.open({ dir, privateKey: undefined, publicKeys: undefined });

const ofEnvironment = (privateKey: string, publicKeys?: string) =>
  KeyRing.open({ dir: '/nowhere', privateKey, publicKeys });

describe('KeyRing', () => {
  const made: string[] = [];
  const folder = () => {
    const dir = certsDir();
    made.push(dir);
    return dir;
  };
  afterAll(() => {
    for (const dir of made) rmSync(dir, { recursive: true, force: true });
  });

  describe('when it opens a folder', () => {
    it('needs only the pair of generateKeys.mjs', async () => {
      const { current } = await ofFolder(folder());
      expect([...current.verifying.keys()]).toEqual([current.signing.kid]);
    });

    it('also verifies with the next and the retired keys', async () => {
      const dir = folder();
      const [next, retired, other] = [folder(), folder(), folder()];
      cpSync(path.join(next, 'private.pem'), path.join(dir, 'next.pem'));
      cpSync(path.join(retired, 'public.pem'), path.join(dir, 'retired.one.pem'));
      cpSync(path.join(other, 'public.pem'), path.join(dir, 'backup.pem'));
      const { current } = await ofFolder(dir);
      const expected = await Promise.all(
        [dir, next, retired].map(async (one) => (await setOf(one)).signing.kid),
      );
      expect([...current.verifying.keys()]).toEqual(expected);
      expect(current.jwks.keys.map(({ kid }) => kid)).toEqual(expected);
    });

    it.each(['private.pem', 'public.pem'])(
      'fails without %s and names the command',
      async (file) => {
        const dir = folder();
        rmSync(path.join(dir, file));
        await expect(ofFolder(dir)).rejects.toThrow(/node scripts\/generateKeys\.mjs/);
      },
    );

    it('fails without the folder and names the command', async () => {
      await expect(ofFolder('/nowhere')).rejects.toThrow(/node scripts\/generateKeys\.mjs/);
    });

    it('refuses two keys that are not a pair', async () => {
      const dir = folder();
      cpSync(path.join(folder(), 'public.pem'), path.join(dir, 'public.pem'));
      await expect(ofFolder(dir)).rejects.toThrow('are not a pair');
    });

    it.each(['private.pem', 'next.pem', 'retired.x.pem'])(
      'refuses a short key in %s',
      async (file) => {
        const dir = folder();
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
        writeFileSync(path.join(dir, file), privateKey.export({ type: 'pkcs8', format: 'pem' }));
        await expect(ofFolder(dir)).rejects.toThrow(`${file} must be an RSA key of at least 2048`);
      },
    );

    it('refuses a key of another kind', async () => {
      const dir = folder();
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const text = privateKey.export({ type: 'pkcs8', format: 'pem' });
      writeFileSync(path.join(dir, 'next.pem'), text);
      await expect(ofFolder(dir)).rejects.toThrow('next.pem must be an RSA key');
    });
  });

  describe('when the keys come from the environment', () => {
    const dir = folder();
    const text = pem(dir, 'private.pem');
    it.each([
      ['PEM', text],
      ['PEM with escaped line ends', text.replaceAll('\n', '\\n')],
      ['base64 of PEM', Buffer.from(text).toString('base64')],
    ])('takes %s and derives the public key', async (_form, value) => {
      const { current } = await ofEnvironment(value);
      expect(current.signing.kid).toBe((await setOf(dir)).signing.kid);
      expect(current.jwks.keys).toHaveLength(1);
    });

    it('verifies with further public keys', async () => {
      const others = [folder(), folder()];
      const texts = others.map((other) => pem(other, 'public.pem')).join('');
      for (const value of [texts, Buffer.from(texts).toString('base64')]) {
        const { current } = await ofEnvironment(text, value);
        for (const other of others) {
          expect(current.verifying.has((await setOf(other)).signing.kid)).toBe(true);
        }
      }
    });

    it.each(['nonsense', text.slice(0, 400), pem(dir, 'public.pem')])(
      'refuses what is no private key, and does not repeat it (%#)',
      async (value) => {
        await expect(ofEnvironment(value)).rejects.toThrow(
          /^PRIVATE_KEY is not a key in PEM form$/,
        );
      },
    );

    it('refuses further keys that are not valid', async () => {
      await expect(ofEnvironment(text, 'nonsense')).rejects.toThrow(/^PUBLIC_KEYS is not a key/);
    });
  });

  describe('when the folder changes', () => {
    it('has the new set after a refresh, and logs it once', async () => {
      const dir = folder();
      const ring = await ofFolder(dir);
      const { logs, logger } = capturingLogger();
      await ring.refresh(logger);
      expect(logs).toEqual([]);

      rotate(dir, ['publish']);
      await ring.refresh(logger);
      await ring.refresh(logger);
      expect(ring.current.jwks).toEqual((await setOf(dir)).jwks);
      expect(ring.current.verifying.size).toBe(2);
      expect(logs).toEqual([
        expect.objectContaining({
          level: 'info',
          message: 'keys changed',
          verifying: [...ring.current.verifying.keys()],
        }),
      ]);
    });

    it('refreshes by itself until it is stopped', async () => {
      const dir = folder();
      const ring = await ofFolder(dir);
      const { logger } = capturingLogger();
      const stop = ring.watch(logger, 0.01);
      rotate(dir, ['publish']);
      await until(() => ring.current.verifying.size === 2, 'the next key');
      rotate(dir, ['activate', '--force']);
      const { signing } = await setOf(dir);
      await until(() => ring.current.signing.kid === signing.kid, 'the activated key');
      stop();
    });

    it('follows a mounted secret whose folder is a swapped link', async () => {
      const mount = folder();
      const versions = [folder(), folder()];
      const point = (version = '') => {
        symlinkSync(version, path.join(mount, '..data.tmp'));
        renameSync(path.join(mount, '..data.tmp'), path.join(mount, '..data'));
      };
      point(versions[0]);
      for (const file of ['private.pem', 'public.pem']) {
        rmSync(path.join(mount, file));
        symlinkSync(path.join('..data', file), path.join(mount, file));
      }
      const ring = await ofFolder(mount);
      const { logger } = capturingLogger();
      const kids = await Promise.all(versions.map(async (dir) => (await setOf(dir)).signing.kid));
      expect(ring.current.signing.kid).toBe(kids[0]);
      point(versions[1]);
      await ring.refresh(logger);
      expect(ring.current.signing.kid).toBe(kids[1]);
    });

    it.each([
      ['half a private key', 'private.pem', (text: string) => text.slice(0, 900)],
      ['an empty public key', 'public.pem', () => ''],
      ['half a next key', 'next.pem', (text: string) => text.slice(0, 900)],
      ['the public key of another pair', 'public.pem', () => pem(certsDir(), 'public.pem')],
    ])('refuses %s, logs it once, and keeps the old set', async (_what, file, broken) => {
      const dir = folder();
      const ring = await ofFolder(dir);
      const before = ring.current;
      const whole = pem(dir, 'private.pem');
      const good = file === 'next.pem' ? pem(folder(), 'private.pem') : pem(dir, file);
      const { logs, logger } = capturingLogger();

      writeFileSync(path.join(dir, file), broken(good));
      await ring.refresh(logger);
      await ring.refresh(logger);
      expect(ring.current).toBe(before);
      expect(logs).toEqual([
        expect.objectContaining({
          level: 'error',
          message: 'keys refused; the last valid ones stay in use',
        }),
      ]);
      expect(JSON.stringify(logs)).not.toContain(whole.split('\n')[1]);

      writeFileSync(path.join(dir, file), good);
      await ring.refresh(logger);
      expect(ring.current.jwks).toEqual((await setOf(dir)).jwks);
    });

    it('keeps the old set while the folder is missing', async () => {
      const dir = folder();
      const ring = await ofFolder(dir);
      const before = ring.current;
      const { logs, logger } = capturingLogger();
      renameSync(dir, `${dir}-away`);
      await ring.refresh(logger);
      expect(ring.current).toBe(before);
      expect(logs).toHaveLength(1);
      renameSync(`${dir}-away`, dir);
      await ring.refresh(logger);
      expect(ring.current).toBe(before);
    });

    it('never has a mixed set, whenever the folder changes during a read', async () => {
      const versions = [folder(), folder()] as const;
      for (const dir of versions) rotate(dir, ['publish']);
      const sets = await Promise.all(versions.map(async (dir) => (await setOf(dir)).jwks));
      const link = `${versions[0]}-link`;
      made.push(link);
      const point = (version: string) => {
        symlinkSync(version, `${link}.tmp`);
        renameSync(`${link}.tmp`, link);
      };
      point(versions[0]);
      const ring = await ofFolder(link);
      const { logs, logger } = capturingLogger();

      for (let moment = 0; moment < 40; moment += 1) {
        point(versions[0]);
        await ring.refresh(logger);
        const read = ring.refresh(logger);
        for (let turn = 0; turn < moment; turn += 1) await new Promise(setImmediate);
        point(versions[1]);
        await read;
        expect(sets).toContainEqual(ring.current.jwks);
      }
      expect(logs.filter(({ level }) => level === 'error')).toEqual([]);
    });
  });
});
