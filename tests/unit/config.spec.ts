import { ConfigError, loadConfig, type Config } from '../../src/config';

// A developer's own .env files stay out of it; that they are read, server.spec.ts shows.
jest.mock('dotenv', () => ({ config: () => ({ parsed: {} }) }));

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

const problemsOf = (environment: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
};
const loaded = (overrides: NodeJS.ProcessEnv = {}) => loadConfig({ ...SOUND, ...overrides });

/** Setting, its default in prod, how it is read, a good value and what it becomes. */
const OPTIONAL: [string, unknown, (config: Config) => unknown, string, unknown][] = [
  ['PORT', 3000, (c) => c.port, '8080', 8080],
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
  ['PORT', ['0', '65536', '-1', '80.5', '0x50', '1e3', 'http', ' 80', '80 ', '999999999999']],
  ['DB_PORT', ['0', '65536', 'x']],
  ['REFRESH_JWT_SECRET', ['short', 'x'.repeat(31), 'x'.repeat(64)]],
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
    ],
  ],
  ['JWT_ISSUER', ['auth.example.com', 'ftp://auth.example.com', 'javascript:alert(1)']],
  ['BCRYPT_ROUNDS', ['9', '16', 'ten', '10.5']],
  ['REFRESH_REUSE_WINDOW_SECONDS', ['-1', 'x', '1.5']],
  ['RATE_LIMIT_ENABLED', ['yes', '1', 'TRUE']],
  ['COOKIE_DOMAIN', ['https://example.com', 'exa mple.com', 'example.com; Secure', 'a,b.com']],
  ['COOKIE_SAME_SITE', ['Strict ', 'off']],
  ['COOKIE_PREFIX', ['host-', 'none']],
  ['COOKIE_SECURE', ['yes', '0']],
  ['REFRESH_COOKIE_PATH', ['sessions', '/sessions; Secure', '/a b']],
  ['TRUST_PROXY', ['true', 'banana', '10.0.0.0/99', '999.1.1.1']],
  ['LOG_LEVEL', ['loud', 'INFO ']],
  ['WEB_CONCURRENCY', ['-1', 'all', '1.5', '0']],
];

describe('loadConfig', () => {
  describe('when only what must be set is set', () => {
    it.each(OPTIONAL)('gives %s its default', (_name, fallback, read) => {
      expect(read(loaded())).toEqual(fallback);
    });

    it('has a port of its own in dev and test', () => {
      for (const NODE_ENV of ['dev', 'test']) {
        const config = loaded({ NODE_ENV, CLIENT_UI_DOMAIN: undefined });
        expect(config.port).toBe(5501);
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
    it.each(OPTIONAL)('takes %s as it is', (name, _fallback, read, value, expected) => {
      expect(read(loaded({ [name]: value }))).toEqual(expected);
    });

    it.each(OPTIONAL)('counts an empty %s as not set', (name, fallback, read) => {
      expect(read(loaded({ [name]: '' }))).toEqual(fallback);
    });

    it('takes several origins, in one form', () => {
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

    it('cannot be changed afterwards', () => {
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

    it('names all of them at once', () => {
      const names = problemsOf({ NODE_ENV: 'prod' }).map((line) => line.split(' ')[0]);
      expect(names.sort()).toEqual(
        Object.keys(SOUND)
          .filter((name) => name !== 'NODE_ENV')
          .sort(),
      );
    });
  });

  describe.each(BAD)('when %s is unsound', (name, values) => {
    it.each(values)('names it in one line and does not print "%s"', (value) => {
      const problems = problemsOf({ ...SOUND, [name]: value });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${name}\\b`));
      expect(problems[0]).not.toContain('\n');
      if (value.length > 3) expect(problems[0]?.slice(name.length)).not.toContain(value);
    });
  });

  describe('when several settings are unsound', () => {
    it('names all of them at once', () => {
      const bad = Object.fromEntries(
        BAD.filter(([name]) => !['NODE_ENV', 'WEB_CONCURRENCY', 'TRUST_PROXY'].includes(name)).map(
          ([name, [value]]) => [name, value],
        ),
      );
      const names = problemsOf({ ...SOUND, ...bad }).map((line) => line.split(' ')[0]);
      expect(names.sort()).toEqual(Object.keys(bad).sort());
    });

    it('names contradictory cookie settings together with the others', () => {
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
    it('refuses it: browsers drop such cookies', () => {
      for (const NODE_ENV of ['dev', 'test'])
        expect(problemsOf({ ...SOUND, NODE_ENV, COOKIE_SAME_SITE: 'none' })).toHaveLength(1);
      expect(problemsOf({ ...SOUND, COOKIE_SAME_SITE: 'none' })).toEqual([]);
    });
  });
});
