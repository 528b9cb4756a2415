import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import request from 'supertest';
import { certsDir } from '../harness/certsDir';
import { startService } from '../support/service';
import { backdate, keysCommand, rotate, rotateKilled, setOf } from './folder';

const kidsOf = async (dir: string) => [...(await setOf(dir)).verifying.keys()];
const signingKid = async (dir: string) => (await setOf(dir)).signing.kid;

/** The times on which verifiers and tokens rely. */
async function promises(): Promise<{ jwksMaxAge: number; accessLifetime: number }> {
  const service = await startService();
  try {
    const answer = await request(service.app).get('/.well-known/jwks.json');
    const maxAge = /max-age=(\d+)/.exec(answer.get('Cache-Control') ?? '')?.[1];
    return { jwksMaxAge: Number(maxAge), accessLifetime: service.config.tokens.accessLifetime };
  } finally {
    await service.stop();
  }
}

describe('the keys command', () => {
  let dir: string;
  beforeEach(() => {
    dir = certsDir();
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  it('publishes, activates and retires', async () => {
    const [old = ''] = await kidsOf(dir);

    expect(rotate(dir, ['publish'])).toMatchObject({ code: 0, stderr: '' });
    const [first, next = ''] = await kidsOf(dir);
    expect(first).toBe(old);
    expect(next).toMatch(/^[\w-]{43}$/);
    expect(await signingKid(dir)).toBe(old);

    backdate(dir, 3600);
    expect(rotate(dir, ['activate'])).toMatchObject({ code: 0, stderr: '' });
    expect(await kidsOf(dir)).toEqual([next, old]);
    expect(await signingKid(dir)).toBe(next);

    backdate(dir, 2 * 3600);
    expect(rotate(dir, ['retire'])).toMatchObject({ code: 0, stderr: '' });
    expect(await kidsOf(dir)).toEqual([next]);
    expect(readdirSync(dir).sort()).toEqual(['keys.json', 'private.pem', 'public.pem']);
  });

  it('gives new private keys the mode of private.pem', () => {
    rotate(dir, ['publish']);
    expect(statSync(path.join(dir, 'next.pem')).mode & 0o777).toBe(0o600);
    rotate(dir, ['activate', '--force']);
    expect(statSync(path.join(dir, 'private.pem')).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(dir, 'public.pem')).mode & 0o777).toBe(0o644);
  });

  describe('when the waiting time is not over', () => {
    it('refuses to activate until every cached JWK set has expired', async () => {
      const { jwksMaxAge } = await promises();
      const old = await signingKid(dir);
      rotate(dir, ['publish']);

      backdate(dir, jwksMaxAge);
      const refused = rotate(dir, ['activate']);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/wait until \d{4}-/);
      expect(await signingKid(dir)).toBe(old);

      backdate(dir, 15);
      expect(rotate(dir, ['activate'])).toMatchObject({ code: 0 });
      expect(await signingKid(dir)).not.toBe(old);
    });

    it('refuses to retire until the last token of the old key has expired', async () => {
      const { accessLifetime } = await promises();
      const old = await signingKid(dir);
      rotate(dir, ['publish']);
      rotate(dir, ['activate', '--force']);

      backdate(dir, accessLifetime);
      const refused = rotate(dir, ['retire']);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/wait until \d{4}-/);
      expect(await kidsOf(dir)).toContain(old);

      backdate(dir, 15);
      expect(rotate(dir, ['retire'])).toMatchObject({ code: 0 });
      expect(await kidsOf(dir)).not.toContain(old);
    });

    it('does not wait with --force', async () => {
      rotate(dir, ['publish']);
      expect(rotate(dir, ['activate', '--force'])).toMatchObject({ code: 0 });
      expect(rotate(dir, ['retire', '--force'])).toMatchObject({ code: 0 });
      expect(await kidsOf(dir)).toHaveLength(1);
    });

    it('retires only the key whose time has come', async () => {
      const old = await signingKid(dir);
      rotate(dir, ['publish']);
      rotate(dir, ['activate', '--force']);
      const second = await signingKid(dir);
      backdate(dir, 4000);
      rotate(dir, ['publish']);
      rotate(dir, ['activate', '--force']);

      rotate(dir, ['retire']);
      expect(await kidsOf(dir)).toEqual([await signingKid(dir), second]);
      expect(second).not.toBe(old);
    });
  });

  describe('when the times are unknown', () => {
    it.each(['absent', 'in the future', 'not a time'])('waits from now on: %s', async (kind) => {
      const old = await signingKid(dir);
      rotate(dir, ['publish']);
      if (kind === 'absent') rmSync(path.join(dir, 'keys.json'));
      if (kind === 'in the future') backdate(dir, -7200);
      if (kind === 'not a time') {
        const file = path.join(dir, 'keys.json');
        writeFileSync(file, readFileSync(file, 'utf8').replace(/"\d{4}-[^"]+Z"/, '"soon"'));
      }
      expect(rotate(dir, ['activate'])).toMatchObject({ code: 1 });
      expect(await signingKid(dir)).toBe(old);
    });

    it('reads them from a copy of the folder', () => {
      rotate(dir, ['publish']);
      backdate(dir, 400);
      const copy = certsDir();
      cpSync(dir, copy, { recursive: true });
      expect(rotate(copy, ['activate'])).toMatchObject({ code: 0 });
      rmSync(copy, { recursive: true });
    });
  });

  describe('when there is nothing to do', () => {
    it.each([
      [['activate', '--force'], 'publish one first'],
      [['retire', '--force'], 'no retired key'],
      [['turn'], 'usage: '],
      [[], 'usage: '],
      [['publish', 'twice'], 'usage: '],
    ])('refuses %j', async (args, message) => {
      const run = await keysCommand(process.env.TEST_BUILD ?? '', args, { CERTS_DIR: dir });
      expect(run.code).toBe(1);
      expect(run.stderr).toContain(message);
      expect(run.stderr.trim().split('\n')).toHaveLength(1);
    });

    it('refuses a second next key', async () => {
      rotate(dir, ['publish']);
      const kids = await kidsOf(dir);
      expect(rotate(dir, ['publish'])).toMatchObject({ code: 1 });
      expect(await kidsOf(dir)).toEqual(kids);
    });

    it('names the command that creates keys', () => {
      rmSync(path.join(dir, 'private.pem'));
      const run = rotate(dir, ['publish']);
      expect(run.stderr).toContain('node scripts/generateKeys.mjs');
    });

    it('does not touch a public.pem that belongs to no known key', () => {
      const foreign = readFileSync(path.join(certsDir(), 'public.pem'), 'utf8');
      writeFileSync(path.join(dir, 'public.pem'), foreign);
      expect(rotate(dir, ['publish'])).toMatchObject({ code: 1 });
      expect(readFileSync(path.join(dir, 'public.pem'), 'utf8')).toBe(foreign);
    });
  });

  describe('when the settings are those of a service', () => {
    const build = () => process.env.TEST_BUILD ?? '';

    it('needs only CERTS_DIR, and names the folder', async () => {
      const run = await keysCommand(build(), ['status'], { CERTS_DIR: dir });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(run.stdout).toContain(`folder   ${dir}\n`);
    });

    it('reports that there is no folder if the key comes from PRIVATE_KEY', async () => {
      const pem = readFileSync(path.join(dir, 'private.pem'), 'utf8');
      const run = await keysCommand(build(), ['publish'], { CERTS_DIR: dir, PRIVATE_KEY: pem });
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toMatch(/^the keys come from PRIVATE_KEY[^\n]*\n$/);
      expect(existsSync(path.join(dir, 'next.pem'))).toBe(false);
    });
  });

  it('reports the possible steps with status, and changes nothing', async () => {
    rotate(dir, ['publish']);
    const [signing = '', next = ''] = await kidsOf(dir);
    const before = readdirSync(dir).map((file) => readFileSync(path.join(dir, file), 'utf8'));
    const { stdout } = rotate(dir, ['status']);
    expect(stdout).toMatch(new RegExp(`^signs +${signing}`, 'm'));
    expect(stdout).toMatch(new RegExp(`^next +${next} published .*can be activated from`, 'm'));
    expect(readdirSync(dir).map((file) => readFileSync(path.join(dir, file), 'utf8'))).toEqual(
      before,
    );
  });

  describe.each(['publish', 'activate', 'retire'])('when %s is killed at any change', (command) => {
    it('leaves a usable set with every key in use, and can be continued', async () => {
      const template = certsDir();
      if (command !== 'publish') rotate(template, ['publish']);
      if (command === 'retire') rotate(template, ['activate', '--force']);
      const before = await setOf(template);

      let changes = 0;
      for (;;) {
        changes += 1;
        rmSync(dir, { recursive: true });
        cpSync(template, dir, { recursive: true });
        backdateIfThere(dir, 4000);
        const run = await rotateKilled(dir, command, changes);
        if (run.code === 0) break;
        expect(run).toMatchObject({ code: null, stderr: '' });

        const after = await setOf(dir);
        expect(before.verifying.has(after.signing.kid)).toBe(true);
        const mustVerify = command === 'retire' ? [before.signing.kid] : before.verifying.keys();
        for (const kid of mustVerify) expect(after.verifying.has(kid)).toBe(true);

        // One more publish or activate, and one retire, always leave a clean folder.
        const again = rotate(dir, [command, ...(command === 'publish' ? [] : ['--force'])]);
        expect(again.stderr).toMatch(/^(?:there is (?:no|a) .*)?$/m);
        rotate(dir, ['publish']);
        expect(rotate(dir, ['activate', '--force'])).toMatchObject({ code: 0 });
        expect(rotate(dir, ['retire', '--force'])).toMatchObject({ code: 0 });
        expect(readdirSync(dir).sort()).toEqual(['keys.json', 'private.pem', 'public.pem']);
        expect(await kidsOf(dir)).toHaveLength(1);
      }
      expect(changes).toBeGreaterThan(3);
      rmSync(template, { recursive: true });
    }, 120_000);
  });
});

function backdateIfThere(dir: string, seconds: number): void {
  if (existsSync(path.join(dir, 'keys.json'))) backdate(dir, seconds);
}
