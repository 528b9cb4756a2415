import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parse } from 'dotenv';
import { ROOT } from '../harness/root';
import { runNode } from '../harness/runNode';
import { tempFolder } from '../harness/tempFolder';

describe('scripts/generateKeys.mjs', () => {
  let dir: string;
  const file = (name: string): string => path.join(dir, name);
  const generate = (...args: string[]) =>
    runNode(['scripts/generateKeys.mjs', ...args], { CERTS_DIR: dir });

  beforeEach(() => {
    dir = tempFolder('scripts');
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

  describe('when it is killed while it overwrites', () => {
    const text = (name: string) =>
      existsSync(file(name)) ? readFileSync(file(name), 'utf8') : undefined;
    const publicOf = (pem: string) =>
      createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
    const killed = (at: number) =>
      runNode(['--import', './tests/keys/killAt.mjs', 'scripts/generateKeys.mjs', '--force'], {
        CERTS_DIR: dir,
        KILL_AT: String(at),
      }).code === null;

    it('leaves the old or the new private key, and no public key of another one', () => {
      generate();
      const old = text('private.pem') ?? '';
      let kills = 0;
      for (; killed(kills + 1); kills += 1) {
        const privatePem = text('private.pem') ?? '';
        expect([undefined, publicOf(privatePem)]).toContain(text('public.pem'));
        expect(statSync(file('private.pem')).mode & 0o777).toBe(0o600);
      }
      expect(kills).toBeGreaterThan(4);
      expect(text('private.pem')).not.toBe(old);
      expect(text('public.pem')).toBe(publicOf(text('private.pem') ?? ''));
    });
  });

  describe('when the service has its settings in a file, and nothing is installed', () => {
    let tree: string;
    const run = (environment: Record<string, string>, script = 'generateKeys.mjs') =>
      runNode([path.join(tree, 'scripts', script)], environment);

    // Only the scripts that are in the production image.
    beforeEach(() => {
      tree = tempFolder('keys');
      const image = readFileSync(path.join(ROOT, 'docker/prod/Dockerfile'), 'utf8');
      for (const script of image.match(/\bscripts\/\S+\.mjs\b/g) ?? []) {
        cpSync(path.join(ROOT, script), path.join(tree, script));
      }
    });
    afterEach(() => {
      rmSync(tree, { recursive: true });
    });

    it.each([
      ['CERTS_DIR=keys', 'keys'],
      ['  CERTS_DIR = "my keys" # the volume', 'my keys'],
      ["export CERTS_DIR='keys#1'\r\nPORT=1", 'keys#1'],
      ['#CERTS_DIR=old\nCERTS_DIR=', 'certs'],
    ])('writes where the file says, and names the folder: %j', (line, folder) => {
      writeFileSync(path.join(tree, '.env.prod'), `PORT=1\n${line}\n`);
      expect(parse(line).CERTS_DIR).toBe(folder === 'certs' ? '' : folder);
      const outcome = run({ NODE_ENV: 'production' });
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      expect(outcome.stdout).toContain(path.join(tree, folder, 'private.pem'));
      expect(readdirSync(path.join(tree, folder)).sort()).toEqual(['private.pem', 'public.pem']);
    });

    it('prints the public key as a JWK', () => {
      run({});
      const outcome = run({}, 'convertPemToJwk.mjs');
      expect(outcome).toMatchObject({ code: 0 });
      expect(JSON.parse(outcome.stdout)).toMatchObject({ kty: 'RSA', alg: 'RS256' });
    });

    it('reads the file of prod if NODE_ENV is not set, as the service does', () => {
      writeFileSync(path.join(tree, '.env.prod'), 'CERTS_DIR=keys');
      writeFileSync(path.join(tree, '.env.dev'), 'CERTS_DIR=other');
      expect(run({}).stdout).toContain(path.join(tree, 'keys', 'private.pem'));
      expect(run({ NODE_ENV: 'dev' }).stdout).toContain(path.join(tree, 'other', 'private.pem'));
    });

    it('prefers the environment', () => {
      writeFileSync(path.join(tree, '.env.prod'), 'CERTS_DIR=keys');
      expect(run({ CERTS_DIR: dir }).stdout).toContain(file('private.pem'));
    });

    it('says in one line that the file cannot be read', () => {
      mkdirSync(path.join(tree, '.env.prod'));
      const outcome = run({});
      expect(outcome).toMatchObject({ code: 1, stdout: '' });
      expect(outcome.stderr).toMatch(/^cannot read [^\n]*\.env\.prod: EISDIR\n$/);
    });
  });
});
