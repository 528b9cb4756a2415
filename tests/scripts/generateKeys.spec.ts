import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { copyOfTree, node, tempFolder, type Outcome } from './processes';

describe('scripts/generateKeys.mjs', () => {
  let dir: string;
  const file = (name: string): string => path.join(dir, name);
  const generate = (...args: string[]): Outcome =>
    node(['scripts/generateKeys.mjs', ...args], { CERTS_DIR: dir });

  beforeEach(() => {
    dir = tempFolder();
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  describe('when CERTS_DIR is in the file of settings', () => {
    it.each([
      ['.env.prod', {}],
      ['.env.prod', { NODE_ENV: 'production' }],
      ['.env.dev', { NODE_ENV: 'dev' }],
    ])('reads %s with %j, as the service does', (name, settings) => {
      const tree = copyOfTree();
      writeFileSync(path.join(tree, name), `CERTS_DIR=${dir}\n`);
      expect(node([path.join(tree, 'scripts/generateKeys.mjs')], settings)).toMatchObject({
        code: 0,
        stdout: `wrote ${file('private.pem')} and ${file('public.pem')} (RSA, 2048 bits)\n`,
      });
      rmSync(tree, { recursive: true });
    });
  });

  describe('when there are no keys', () => {
    it('writes a pair of 2048 bits, PKCS#8 and SPKI, the private one for its owner alone', () => {
      expect(generate()).toMatchObject({ code: 0, stderr: '' });

      const privatePem = readFileSync(file('private.pem'), 'utf8');
      const publicPem = readFileSync(file('public.pem'), 'utf8');
      expect(privatePem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
      expect(publicPem).toMatch(/^-----BEGIN PUBLIC KEY-----/);
      expect(createPrivateKey(privatePem).asymmetricKeyDetails?.modulusLength).toBe(2048);
      expect(createPublicKey(privatePem).export({ type: 'spki', format: 'pem' })).toBe(publicPem);
      expect(statSync(file('private.pem')).mode & 0o777).toBe(0o600);
      expect(statSync(file('public.pem')).mode & 0o777).toBe(0o644);
      expect(readdirSync(dir).sort()).toEqual(['private.pem', 'public.pem']);
    });

    it('takes the bits as an argument', () => {
      expect(generate('2304').code).toBe(0);
      const key = createPublicKey(readFileSync(file('public.pem')));
      expect(key.asymmetricKeyDetails?.modulusLength).toBe(2304);
    });
  });

  describe.each(['1024', '2047', '2049', '8448', '0', 'many', '2048.5', ''])(
    'when the bits are "%s"',
    (bits) => {
      it('says what they may be in one line and writes nothing', () => {
        const outcome = generate(bits);
        expect(outcome).toMatchObject({ code: 1, stdout: '' });
        expect(outcome.stderr).toBe('bits must be a multiple of 256 from 2048 to 8192\n');
        expect(readdirSync(dir)).toEqual([]);
      });
    },
  );

  describe.each(['private.pem', 'public.pem'])('when %s is there already', (name) => {
    beforeEach(() => {
      writeFileSync(file(name), 'precious');
    });

    it('overwrites nothing, and says so in one line', () => {
      const outcome = generate();
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).toMatch(/^[^\n]*already there[^\n]*--force[^\n]*\n$/);
      expect(readFileSync(file(name), 'utf8')).toBe('precious');
      expect(readdirSync(dir)).toEqual([name]);
    });

    it('overwrites both with --force', () => {
      expect(generate('--force').code).toBe(0);
      expect(existsSync(file('public.pem'))).toBe(true);
      const key = createPublicKey(readFileSync(file('private.pem')));
      expect(key.equals(createPublicKey(readFileSync(file('public.pem'))))).toBe(true);
      expect(statSync(file('private.pem')).mode & 0o777).toBe(0o600);
    });
  });
});
