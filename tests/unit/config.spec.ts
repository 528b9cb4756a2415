import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { loadConfig, type Config } from '../../src/config';
import { ConfigError } from '../../src/config/ConfigError';
import { unsafeSettings } from '../../src/config/unsafeSettings';
import { exposedKeyFiles } from '../../src/keys/exposedKeyFiles';

const SECRET = 'a refresh secret of more than 32 characters';
const SOUND = {
  NODE_ENV: 'prod',
  DB_HOST: 'db.example.com',
  DB_USERNAME: 'auth',
  DB_PASSWORD: 'database password',
  DB_NAME: 'auth',
  REFRESH_JWT_SECRET: SECRET,
  CLIENT_UI_DOMAIN: 'https://app.example.com',
};

/** Without .env files, unless a test writes one. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'auth-service-config-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const problemsOf = (environment: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadConfig(environment, folder);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
};
const loaded = (overrides: NodeJS.ProcessEnv = {}) =>
  loadConfig({ ...SOUND, ...overrides }, folder);

/** Setting, default in prod, how to read it, a valid value and its result. */
const OPTIONAL: [string, unknown, (config: Config) => unknown, string, unknown][] = [
  ['PORT', 3000, (c) => c.port, '8080', 8080],
  ['HOST', [], (c) => c.hosts, '127.0.0.1', ['127.0.0.1']],
  ['ACCESS_TOKEN_LIFETIME_SECONDS', 3600, (c) => c.tokens.accessLifetime, '60', 60],
  ['KEEP_ALIVE_TIMEOUT_SECONDS', 65, (c) => c.keepAliveTimeout, '5', 5],
  ['COOKIE_PREFIX', '', (c) => c.cookies.prefix, '__Host-', '__Host-'],
  ['DB_SSL_MODE', 'prefer', (c) => c.database.tls?.mode, 'verify-full', 'verify-full'],
  ['DB_PORT', 5432, (c) => c.database.port, '6543', 6543],
  ['JWT_ISSUER', 'http://localhost:3000', (c) => c.tokens.issuer, 'https://a.b/c', 'https://a.b/c'],
  ['JWT_AUDIENCE', 'auth-service', (c) => c.tokens.audience, 'mine', 'mine'],
  ['BCRYPT_ROUNDS', 10, (c) => c.hashing.rounds, '15', 15],
  ['REFRESH_REUSE_WINDOW_SECONDS', 10, (c) => c.sessions.reuseWindow, '0', 0],
  ['RATE_LIMIT_ENABLED', true, (c) => c.rateLimitEnabled, 'false', false],
  ['COOKIE_DOMAIN', undefined, (c) => c.cookies.domain, 'example.com', 'example.com'],
  ['COOKIE_SAME_SITE', 'strict', (c) => c.cookies.sameSite, 'lax', 'lax'],
  ['COOKIE_PREFIX', '', (c) => c.cookies.prefix, '__Secure-', '__Secure-'],
  ['COOKIE_SECURE', true, (c) => c.cookies.secure, 'false', false],
  ['REFRESH_COOKIE_PATH', '/', (c) => c.cookies.refreshPath, '/auth', '/auth'],
  ['TRUST_PROXY', undefined, (c) => c.trustProxy, '2', 2],
  ['LOG_LEVEL', 'info', (c) => c.logLevel, 'debug', 'debug'],
];

const BAD: [string, string[]][] = [
  ['NODE_ENV', ['staging', 'PROD', 'constructor', 'toString', '__proto__']],
  ['PORT', ['0', '65536', '-1', '80.5', '0x50', '1e3', 'http', '8 0', '999999999999']],
  ['HOST', ['*', 'http://localhost', '0.0.0.0:3000', '-', 'a b']],
  ['ACCESS_TOKEN_LIFETIME_SECONDS', ['59', '3601', '1h']],
  ['KEEP_ALIVE_TIMEOUT_SECONDS', ['0', '65s']],
  ['COOKIE_PREFIX', ['__host-', 'app_', 'secure-']],
  ['DB_PORT', ['0', '65536', 'x']],
  ['DB_SSL_MODE', ['allow', 'on', 'VERIFY-FULL']],
  ['DB_SSL_CA', ['/nowhere/ca.pem', '/dev/null', __filename]],
  [
    'REFRESH_JWT_SECRET',
    [
      'short',
      'x'.repeat(31),
      'x'.repeat(64),
      'change-me-to-a-long-random-string-of-32-characters',
      'REPLACE_ME_0123456789_0123456789_0123456789',
      'your-secret-key-your-secret-key-your-secret-key',
    ],
  ],
  [
    'CLIENT_UI_DOMAIN',
    [
      'app.acme.example',
      '*',
      'null',
      'https://app.acme.example/path',
      'https://app.acme.example,',
      'ftp://app.example.com',
      'https://app.example.com;https://b.example.com',
      'https://user:pass-word@app.example.com',
      'https://*.acme.example',
      'https://*',
      'https://app.acme.example:*',
      'https://a.acme.example;b',
      'https://app.acme\texample',
      'https://app.acme.example?x',
      'https:app.acme.example',
    ],
  ],
  [
    'JWT_ISSUER',
    [
      'auth.example.com',
      'ftp://auth.example.com',
      'javascript:alert(1)',
      'https://auth.\nacme.example',
      'https://auth.acme.example/\tx',
      'https://*.acme.example',
      `https://auth.acme.example/${'x'.repeat(250)}`,
    ],
  ],
  ['JWT_AUDIENCE', ['two words', 'a\nb', 'x'.repeat(256)]],
  ['BCRYPT_ROUNDS', ['9', '16', 'ten', '10.5']],
  ['REFRESH_REUSE_WINDOW_SECONDS', ['-1', 'x', '1.5']],
  ['RATE_LIMIT_ENABLED', ['yes', '1', 'TRUE']],
  [
    'COOKIE_DOMAIN',
    [
      'https://example.com',
      'exa mple.com',
      'example.com; Secure',
      'a,b.com',
      'intranet',
      '127.0.0.1',
      '-a.com',
      'a-.com',
      'a..com',
      `${'x'.repeat(64)}.com`,
      `${'x.'.repeat(130)}com`,
      'example.com:3000',
      '*.example.com',
      'bücher.example',
    ],
  ],
  ['COOKIE_SAME_SITE', ['Strict ', 'off']],
  ['COOKIE_PREFIX', ['host-', 'none']],
  ['COOKIE_SECURE', ['yes', '0']],
  [
    'REFRESH_COOKIE_PATH',
    [
      'sessions',
      '/sessions; Secure',
      '/a b',
      '/ä',
      `/${'x'.repeat(300)}`,
      '/.',
      '/auth/..',
      '/a/../b',
    ],
  ],
  ['TRUST_PROXY', ['true', 'banana', '10.0.0.0/99', '999.1.1.1', '0.0.0.0/0', '10.0.0.1, ::/0']],
  ['LOG_LEVEL', ['loud', 'INFO ']],
  ['WEB_CONCURRENCY', ['-1', 'all', '1.5', '0']],
];

describe('loadConfig', () => {
  describe('when only required settings are set', () => {
    it.each(OPTIONAL)('uses the default of %s', (_name, fallback, read) => {
      expect(read(loaded())).toEqual(fallback);
    });

    it('has another default port in dev and test', () => {
      for (const NODE_ENV of ['dev', 'test']) {
        const config = loaded({ NODE_ENV, CLIENT_UI_DOMAIN: undefined });
        expect(config.port).toBe(5501);
        expect(config.hosts).toEqual(['127.0.0.1', '::1']);
        expect(config.tokens.issuer).toBe('http://localhost:5501');
        expect(config.cookies.secure).toBe(false);
        expect(config.allowedOrigins).toEqual(['http://localhost:5173']);
      }
    });

    it('knows whether the issuer was set', () => {
      expect(loaded().tokens.issuerIsDefault).toBe(true);
      expect(loaded({ JWT_ISSUER: 'https://a.example' }).tokens.issuerIsDefault).toBe(false);
    });
  });

  describe('when a setting is given', () => {
    it.each(OPTIONAL)('reads %s', (name, _fallback, read, value, expected) => {
      expect(read(loaded({ [name]: value }))).toEqual(expected);
    });

    it.each(OPTIONAL)('counts an empty %s as not set', (name, fallback, read) => {
      expect(read(loaded({ [name]: '' }))).toEqual(fallback);
    });

    it('normalizes several origins', () => {
      const CLIENT_UI_DOMAIN = 'https://a.example.com/ , https://b.example.com:8443';
      expect(loaded({ CLIENT_UI_DOMAIN }).allowedOrigins).toEqual([
        'https://a.example.com',
        'https://b.example.com:8443',
      ]);
    });

    it.each([
      ['dev', 'dev'],
      ['development', 'dev'],
      ['test', 'test'],
      ['prod', 'prod'],
      ['production', 'prod'],
    ])('understands NODE_ENV=%s', (NODE_ENV, environment) => {
      expect(loaded({ NODE_ENV }).environment).toBe(environment);
    });

    it.each(['1', '10.0.0.0/8', 'loopback', 'loopback, 10.0.0.1', 'fd00::/8'])(
      'takes TRUST_PROXY=%s',
      (TRUST_PROXY) => {
        expect(loaded({ TRUST_PROXY }).trustProxy).toEqual(TRUST_PROXY === '1' ? 1 : TRUST_PROXY);
      },
    );

    it('freezes the settings', () => {
      const config = loaded();
      expect(Object.isFrozen(config)).toBe(true);
      for (const part of [config.database, config.tokens, config.cookies, config.sessions])
        expect(Object.isFrozen(part)).toBe(true);
    });
  });

  describe('when a setting is missing', () => {
    it.each(Object.keys(SOUND).filter((name) => name !== 'NODE_ENV'))(
      'names %s in prod, in one line',
      (name) => {
        const problems = problemsOf({ ...SOUND, [name]: undefined });
        expect(problems).toHaveLength(1);
        expect(problems[0]).toMatch(new RegExp(`^${name} .*missing`));
      },
    );

    it('reports all of them at once', () => {
      const names = problemsOf({ NODE_ENV: 'prod' }).map((line) => line.split(' ')[0]);
      expect(names.sort()).toEqual(
        Object.keys(SOUND)
          .filter((name) => name !== 'NODE_ENV')
          .sort(),
      );
    });
  });

  describe.each(BAD)('when %s is invalid', (name, values) => {
    it.each(values)('reports it in one line without "%s"', (value) => {
      const problems = problemsOf({ ...SOUND, [name]: value });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${name}\\b`));
      expect(problems[0]).not.toContain('\n');
      if (value.length > 3) expect(problems[0]?.slice(name.length)).not.toContain(value);
    });
  });

  describe('when several settings are invalid', () => {
    it('reports all of them at once', () => {
      const bad = Object.fromEntries(
        BAD.filter(([name]) => !['NODE_ENV', 'WEB_CONCURRENCY', 'TRUST_PROXY'].includes(name)).map(
          ([name, [value]]) => [name, value],
        ),
      );
      const names = problemsOf({ ...SOUND, ...bad }).map((line) => line.split(' ')[0]);
      expect(names.sort()).toEqual(Object.keys(bad).sort());
    });

    it('reports contradictory cookie settings together with the others', () => {
      const names = problemsOf({
        ...SOUND,
        PORT: 'x',
        COOKIE_SAME_SITE: 'none',
        COOKIE_SECURE: 'false',
      }).map((line) => line.split(' ')[0]);
      expect(names.sort()).toEqual(['COOKIE_SAME_SITE', 'PORT']);
    });
  });

  describe('when SameSite=None comes without Secure', () => {
    it('refuses it, because browsers drop such cookies', () => {
      for (const NODE_ENV of ['dev', 'test'])
        expect(problemsOf({ ...SOUND, NODE_ENV, COOKIE_SAME_SITE: 'none' })).toHaveLength(1);
      expect(problemsOf({ ...SOUND, COOKIE_SAME_SITE: 'none' })).toEqual([]);
    });
  });

  describe('when white space surrounds a value', () => {
    const blank = fc.stringMatching(/^[ \t\r\n]{0,4}$/);

    it('trims every setting', () => {
      fc.assert(
        fc.property(fc.constantFrom(...OPTIONAL), blank, blank, (setting, before, after) => {
          const [name, , read, value, expected] = setting;
          expect(read(loaded({ [name]: before + value + after }))).toEqual(expected);
        }),
      );
    });

    it('keeps the spaces of a secret, but not its trailing line end', () => {
      const secrets = { DB_PASSWORD: ' pass word ', REFRESH_JWT_SECRET: ` ${SECRET} ` };
      const withLineEnds = Object.entries(secrets).map(([name, value]) => [name, `${value}\r\n`]);
      const config = loaded(Object.fromEntries(withLineEnds) as NodeJS.ProcessEnv);
      expect(config.database.password).toBe(secrets.DB_PASSWORD);
      expect(config.tokens.refreshSecret).toBe(secrets.REFRESH_JWT_SECRET);
    });

    it('counts a blank value as not set', () => {
      expect(loaded({ JWT_AUDIENCE: ' \n' }).tokens.audience).toBe('auth-service');
      expect(problemsOf({ ...SOUND, DB_PASSWORD: '\n' })).toEqual(['DB_PASSWORD is missing']);
    });
  });

  describe('when there is a .env file', () => {
    const file = path.join(folder, '.env.prod');
    const withFile = <T>(content: string | Buffer, work: () => T): T => {
      writeFileSync(file, content);
      try {
        return work();
      } finally {
        rmSync(file);
      }
    };

    it('uses its value where the variable is empty or blank', () => {
      const empty = { JWT_AUDIENCE: '', LOG_LEVEL: ' ' };
      const config = withFile('JWT_AUDIENCE=of-the-file\nLOG_LEVEL=warn\n', () => loaded(empty));
      expect([config.tokens.audience, config.logLevel]).toEqual(['of-the-file', 'warn']);
    });

    it.each([
      ['DB_PASSWORD', 'DB_PASSWORD=correct#horse'],
      ['DB_PASSWORD', 'DB_PASSWORD=correct #horse'],
      ['DB_PASSWORD', 'export DB_PASSWORD = #horse\nDB_PASSWORD=correct # horse'],
      ['DB_PASSWORD', `DB_PASSWORD="correct#horse`],
      ['DB_PASSWORD', `DB_PASSWORD='it's#horse'`],
      ['REFRESH_JWT_SECRET', `REFRESH_JWT_SECRET=${SECRET}#horse`],
      ['JWT_AUDIENCE', 'JWT_AUDIENCE=mine#horse'],
    ])('refuses %s that is cut at a #, and suggests quotes', (name, content) => {
      const unset = { DB_PASSWORD: undefined, REFRESH_JWT_SECRET: undefined };
      const others = { ...SOUND, ...unset, [name]: undefined };
      const rest = Object.entries(SOUND).filter(([other]) => other in unset && other !== name);
      const environment = { ...others, ...Object.fromEntries(rest) };
      const problems = withFile(`${content}\n`, () => problemsOf(environment));
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${name} is cut at its #.*'…'`));
      expect(problems[0]).not.toContain('horse');
    });

    it.each([
      'DB_PASSWORD="correct#horse"',
      "DB_PASSWORD='correct#horse' # the password",
      'DB_PASSWORD="correct#horse"# the password',
      '# DB_PASSWORD=x#y\nDB_PASSWORD="correct#horse"\nPORT=8080 # the port\nOTHER=a#b',
    ])('takes %s', (content) => {
      const environment = { ...SOUND, DB_PASSWORD: undefined };
      const config = withFile(content, () => loadConfig(environment, folder));
      expect(config.database.password).toBe('correct#horse');
    });

    it('reads a # in a quoted secret, whatever surrounds it', () => {
      const text = fc.stringMatching(/^[\w #=%&*!$(){}[\]/]{1,20}$/);
      fc.assert(
        fc.property(text, text, (one, other) => {
          const DB_PASSWORD = `${one}#${other}`;
          const environment = { ...SOUND, DB_PASSWORD: undefined };
          const content = `DB_PASSWORD='${DB_PASSWORD}' # ${other}\n`;
          const config = withFile(content, () => loadConfig(environment, folder));
          expect(config.database.password).toBe(DB_PASSWORD);
        }),
      );
    });

    it('ignores a cut value that the environment replaces', () => {
      expect(withFile('DB_PASSWORD=a#b', () => problemsOf(SOUND))).toEqual([]);
    });

    it.each([
      [
        'is a folder',
        () => {
          mkdirSync(file);
        },
      ],
      [
        'is in UTF-16',
        () => {
          writeFileSync(file, Buffer.from('\ufeffPORT=80', 'utf16le'));
        },
      ],
    ])('reports only the file if it %s', (_what, make) => {
      make();
      try {
        const problems = problemsOf({ NODE_ENV: 'prod' });
        expect(problems).toEqual([expect.stringContaining(file)]);
      } finally {
        rmSync(file, { recursive: true });
      }
    });
  });

  describe('when origins have another form than browsers send', () => {
    it('uses the form of browsers', () => {
      const CLIENT_UI_DOMAIN = 'HTTPS://App.Acme.Example:443/, https://b\u00fccher.example';
      expect(loaded({ CLIENT_UI_DOMAIN }).allowedOrigins).toEqual([
        'https://app.acme.example',
        'https://xn--bcher-kva.example',
      ]);
    });

    it('suggests what to write instead of a wildcard', () => {
      const [problem] = problemsOf({ ...SOUND, CLIENT_UI_DOMAIN: 'https://*.acme.example' });
      expect(problem).toMatch(/^CLIENT_UI_DOMAIN must not contain \*.*list each/);
    });
  });

  describe('when a cookie prefix asks for attributes that are not set', () => {
    it.each([
      [{ COOKIE_PREFIX: '__Host-', COOKIE_SECURE: 'false' }, 1],
      [{ COOKIE_PREFIX: '__Secure-', COOKIE_SECURE: 'false' }, 1],
      [{ COOKIE_PREFIX: '__Host-', COOKIE_DOMAIN: 'example.com' }, 1],
      [{ COOKIE_PREFIX: '__Host-', REFRESH_COOKIE_PATH: '/auth' }, 1],
      [{ COOKIE_PREFIX: '__Secure-', COOKIE_DOMAIN: 'a.com', REFRESH_COOKIE_PATH: '/auth' }, 0],
      [{ COOKIE_PREFIX: '__Host-' }, 0],
    ])('%j has %d problems', (settings, count) => {
      const problems = problemsOf({ ...SOUND, ...settings });
      expect(problems.map((line) => line.split(' ')[0])).toEqual(
        Array.from({ length: count }, () => 'COOKIE_PREFIX'),
      );
    });
  });
});

describe('unsafeSettings', () => {
  const SAFE = { JWT_ISSUER: 'https://auth.acme.example', DB_SSL_MODE: 'verify-full' };
  const unsafe = (overrides: NodeJS.ProcessEnv) =>
    unsafeSettings(loaded({ ...SAFE, ...overrides })).map(([name]) => name);

  it('reports nothing for safe settings', () => {
    expect(unsafe({})).toEqual([]);
    expect(unsafe({ CLIENT_UI_DOMAIN: 'http://localhost:5173' })).toEqual([]);
  });

  it.each([
    ['JWT_ISSUER', ''],
    ['JWT_ISSUER', 'http://auth.acme.example'],
    ['CLIENT_UI_DOMAIN', 'https://a.acme.example, http://b.acme.example'],
    ['RATE_LIMIT_ENABLED', 'false'],
    ['COOKIE_SECURE', 'false'],
    ['DB_SSL_MODE', 'disable'],
    ['DB_SSL_MODE', 'prefer'],
    ['DB_SSL_MODE', 'require'],
  ])('names %s=%s', (name, value) => {
    expect(unsafe({ [name]: value })).toEqual([name]);
  });
});

describe('unsafeSettings of a database on this machine', () => {
  it.each(['localhost', '127.0.0.1', '::1', '/run/postgresql'])(
    'has nothing to say of %s without TLS',
    (DB_HOST) => {
      const settings = { JWT_ISSUER: 'https://auth.acme.example', DB_HOST, DB_SSL_MODE: 'disable' };
      expect(unsafeSettings(loaded(settings))).toEqual([]);
    },
  );
});

describe('exposedKeyFiles', () => {
  it('lists exactly the private keys that everyone can read', () => {
    const keys = mkdtempSync(path.join(folder, 'keys-'));
    const modes = { 'private.pem': 0o644, 'next.pem': 0o640, 'public.pem': 0o644 };
    for (const [name, mode] of Object.entries(modes)) {
      writeFileSync(path.join(keys, name), '');
      chmodSync(path.join(keys, name), mode);
    }
    expect(exposedKeyFiles(keys)).toEqual([path.join(keys, 'private.pem')]);
  });
});
