import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { publicJwk } from '../../src/keys/keySet';
import { runNode } from '../harness/runNode';
import { tempFolder } from '../harness/tempFolder';

interface Jwk {
  kid: string;
}

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** By jose, which Jest's CommonJS cannot import. */
function thumbprint(): string {
  const program = `import { calculateJwkThumbprint } from 'jose';
    console.log(await calculateJwkThumbprint(JSON.parse(process.argv[1])));`;
  const jwk = JSON.stringify(pair.publicKey.export({ format: 'jwk' }));
  return runNode(['--input-type=module', '-e', program, jwk]).stdout.trim();
}

describe('scripts/convertPemToJwk.mjs', () => {
  let dir: string;
  const convert = (args: string[], input = '') =>
    runNode(['scripts/convertPemToJwk.mjs', ...args], { CERTS_DIR: dir }, input);
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };

  beforeEach(() => {
    dir = tempFolder('scripts');
  });

  describe.each([
    ['private', privatePem],
    ['public', publicPem],
  ])('when it reads a %s key', (name, pem) => {
    it('prints the public JWK with its thumbprint, and nothing of the private part', () => {
      const outcome = convert([write('some.pem', pem)]);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      const { n, e } = pair.publicKey.export({ format: 'jwk' });
      expect(JSON.parse(outcome.stdout)).toStrictEqual({
        kty: 'RSA',
        use: 'sig',
        alg: 'RS256',
        kid: thumbprint(),
        n,
        e,
      });
    });

    it(`finds ${name}.pem by itself`, () => {
      write(`${name}.pem`, pem);
      expect((JSON.parse(convert([]).stdout) as Jwk).kid).toBe(thumbprint());
    });
  });

  it('prints what the service publishes', () => {
    const { stdout } = convert(['-'], publicPem);
    expect(JSON.parse(stdout)).toStrictEqual(publicJwk(pair.publicKey));
  });

  it('names the file that it found by itself', () => {
    const file = write('public.pem', publicPem);
    expect(convert([]).stderr).toBe(`read ${file}\n`);
  });

  describe('when told --set', () => {
    it('prints a JWK set, also from standard input', () => {
      const set = JSON.parse(convert(['-', '--set'], publicPem).stdout) as { keys: Jwk[] };
      expect(Object.keys(set)).toEqual(['keys']);
      expect(set.keys).toHaveLength(1);
      expect(set.keys[0]?.kid).toBe(thumbprint());
    });
  });

  describe('when there is nothing to convert', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    it.each([
      ['a missing file', ['/no/such/file.pem'], '', /cannot read \/no\/such\/file.pem \(ENOENT\)/],
      ['no key in certs/', [], '', /generateKeys/],
      ['rubbish', ['-'], 'rubbish', /not a key in PEM form/],
      ['a cut key', ['-'], publicPem.slice(0, 200), /not a key in PEM form/],
      ['an EC key', ['-'], ec.export({ type: 'spki', format: 'pem' }).toString(), /not an RSA key/],
      ['an unknown option', ['--sett'], '', /usage/],
    ])('says so in one line: %s', (_, args, input, message) => {
      const outcome = convert(args, input);
      expect(outcome).toMatchObject({ code: 1, stdout: '' });
      expect(outcome.stderr).toMatch(message);
      expect(outcome.stderr).toMatch(/^[^\n]+\n$/);
    });
  });
});
