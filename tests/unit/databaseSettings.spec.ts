import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { loadConfig } from '../../src/config';
import { ConfigError } from '../../src/config/ConfigError';
import { certificateAuthority } from '../harness/certificateAuthority';
import { tempFolder } from '../harness/tempFolder';

const REST = {
  NODE_ENV: 'prod',
  REFRESH_JWT_SECRET: 'a refresh secret of more than 32 characters',
  CLIENT_UI_DOMAIN: 'https://app.example.com',
};
const SERVER = {
  DB_HOST: 'db.example.com',
  DB_USERNAME: 'auth',
  DB_PASSWORD: 'database password',
  DB_NAME: 'auth',
};
const URL = 'postgres://auth:secret-word@db.example.com/accounts';

const folder = tempFolder('database-settings');
const fileOf = (name: string, content: string) => {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
};

const databaseOf = (variables: NodeJS.ProcessEnv) =>
  loadConfig({ ...REST, ...variables }, folder).database;
const problemsOf = (variables: NodeJS.ProcessEnv): readonly string[] => {
  try {
    databaseOf(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('DATABASE_URL', () => {
  it.each<[string, object]>([
    ['postgres://u:p@h:6543/n', { host: 'h', port: 6543, username: 'u', password: 'p', name: 'n' }],
    ['postgresql://u:p@h/n', { host: 'h', port: 5432 }],
    [
      'postgres://u%40x:p%2Fq%3A%23%25@h/n%20m',
      { username: 'u@x', password: 'p/q:#%', name: 'n m' },
    ],
    ['postgres://u:a+b@h/n', { password: 'a+b' }],
    ['postgres://u:p@[::1]:6543/n', { host: '::1', port: 6543 }],
    ['postgres://u@h/n', { password: '' }],
    ['postgres:///n?host=/run/postgresql&user=u', { host: '/run/postgresql', username: 'u' }],
    ['postgres://u:p@/n?host=%2Frun%2Fpg&port=6543', { host: '/run/pg', port: 6543 }],
    ['postgres://u:p@%2Frun%2Fpostgresql/n', { host: '/run/postgresql', tls: undefined }],
    ['postgres://u:p@h/?dbname=n', { name: 'n' }],
    ['postgres://u:p@h/n?sslmode=disable', { tls: undefined }],
    ['postgres://u:p@h/n?sslmode=require', { tls: { mode: 'require' } }],
    ['postgres://u:p@h/n?sslmode=verify-full&sslrootcert=system', { tls: { mode: 'verify-full' } }],
    ['postgres://u:p@h/n?application_name=a%20b', { applicationName: 'a b' }],
    ['postgres://u:p@h/n?options=-c%20geqo%3Doff', { options: '-c geqo=off' }],
    ['postgres://u:p@h/n?channel_binding=require', { channelBinding: true }],
  ])('reads %s', (url, expected) => {
    expect(databaseOf({ DATABASE_URL: url })).toMatchObject(expected);
  });

  it('reads every user, password and name that is percent-encoded', () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, text, (username, password, name) => {
        const [user, word, path] = [username, password, name].map(encodeURIComponent);
        const url = `postgres://${user}:${word}@db.example.com/${path}`;
        expect(databaseOf({ DATABASE_URL: url })).toMatchObject({ username, password, name });
      }),
    );
  });

  it.each([
    ['is of another kind', 'mysql://u:secret-word@h/n'],
    ['has a character that is not encoded', 'postgres://u:secret-word@x@h/n'],
    ['has a broken encoding', 'postgres://u:secret-word%zz@h/n'],
    ['has a host list', 'postgres://u:secret-word@h1:5432,h2:5432/n'],
    ['has a host list in a parameter', 'postgres://u:secret-word@/n?host=h1,h2'],
    ['has an unknown parameter', 'postgres://u:secret-word@h/n?sslcrl=x'],
    ['has an unknown sslmode', 'postgres://u:secret-word@h/n?sslmode=allow'],
    ['has a bad port', 'postgres://u:secret-word@h:99999/n'],
    ['names no host', 'postgres:///n?user=u&password=secret-word'],
    ['names no user', 'postgres://h/n?password=secret-word'],
    ['names no database', 'postgres://u:secret-word@h'],
    ['names a missing file', 'postgres://u:secret-word@h/n?sslmode=require&sslrootcert=/no/ca'],
    ['verifies nothing', 'postgres://u:secret-word@h/n?sslmode=verify-ca'],
  ])('is named in one line without its value when it %s', (_what, url) => {
    const problems = problemsOf({ DATABASE_URL: url });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^DATABASE_URL\b/);
    expect(problems[0]).not.toContain('secret-word');
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['DB_HOST', { DB_HOST: 'h' }],
    ['DB_PORT', { DB_PORT: '5432' }],
    ['DB_USERNAME', { DB_USERNAME: 'u' }],
    ['DB_PASSWORD', { DB_PASSWORD: 'p' }],
    ['DB_NAME', { DB_NAME: 'n' }],
    ['DB_HOST, DB_USERNAME, DB_PASSWORD, DB_NAME', SERVER],
    ['DB_PASSWORD', { DB_PASSWORD_FILE: fileOf('password', 'p') }],
  ])('is refused together with %s', (names, variables) => {
    expect(problemsOf({ DATABASE_URL: URL, ...variables })).toEqual([
      `DATABASE_URL is set together with ${names}: use one of the two forms`,
    ]);
  });

  it('takes from settings what it does not say', () => {
    const database = databaseOf({
      DATABASE_URL: 'postgres://auth@db.example.com/accounts',
      DB_PASSWORD: 'p',
      DB_SSL_MODE: 'require',
      DB_POOL_SIZE: '3',
    });
    expect(database).toMatchObject({ password: 'p', poolSize: 3, tls: { mode: 'require' } });
    expect(problemsOf({ DATABASE_URL: `${URL}?sslmode=require`, DB_SSL_MODE: 'require' })).toEqual([
      'DATABASE_URL is set together with DB_SSL_MODE: use one of the two forms',
    ]);
  });
});

describe('a secret in a file', () => {
  const SECRET = 'another secret with 32 characters or more';

  it.each(['secret', 'secret\n', 'secret\r\n'])('is read without one line end: %j', (content) => {
    const DB_PASSWORD_FILE = fileOf('password', content);
    expect(databaseOf({ ...SERVER, DB_PASSWORD: '', DB_PASSWORD_FILE }).password).toBe('secret');
  });

  it('keeps its spaces and all other line ends', () => {
    const DB_PASSWORD_FILE = fileOf('password', ' a\nb \n\n');
    const { password } = databaseOf({ ...SERVER, DB_PASSWORD: '', DB_PASSWORD_FILE });
    expect(password).toBe(' a\nb \n');
  });

  it('may be any of them', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----';
    const config = loadConfig(
      {
        NODE_ENV: 'prod',
        CLIENT_UI_DOMAIN: REST.CLIENT_UI_DOMAIN,
        DATABASE_URL_FILE: fileOf('url', `${URL}\n`),
        REFRESH_JWT_SECRET_FILE: fileOf('secret', `${SECRET} 1\n`),
        REFRESH_JWT_SECRET_NEXT_FILE: fileOf('next', `${SECRET} 2\n`),
        REFRESH_JWT_SECRET_PREVIOUS_FILE: fileOf('previous', `${SECRET} 3\n`),
        PRIVATE_KEY_FILE: fileOf('key', `${pem}\n`),
      },
      folder,
    );
    expect(config.database).toMatchObject({ host: 'db.example.com', password: 'secret-word' });
    expect(config.tokens.refreshSecret).toBe(`${SECRET} 1`);
    expect(config.tokens.verifyingRefreshSecrets).toEqual([`${SECRET} 2`, `${SECRET} 3`]);
    expect(config.keys.privateKey).toBe(pem);
  });

  it.each([
    ['DB_PASSWORD', SERVER],
    ['DATABASE_URL', {}],
    ['REFRESH_JWT_SECRET', SERVER],
    ['PRIVATE_KEY', SERVER],
  ])('is named in one line when %s_FILE cannot be read or is empty', (name, rest) => {
    const unset = { ...rest, [name]: '' };
    for (const file of ['/nowhere/secret', folder, fileOf('empty', ''), fileOf('blank', '\n')]) {
      const problems = problemsOf({ ...unset, [`${name}_FILE`]: file });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${name}_FILE names `));
      expect(problems[0]).not.toContain(file);
    }
  });

  it('is refused together with the variable', () => {
    const DB_PASSWORD_FILE = fileOf('password', 'secret');
    expect(problemsOf({ ...SERVER, DB_PASSWORD_FILE })).toEqual([
      'DB_PASSWORD_FILE is set together with DB_PASSWORD: use one',
    ]);
  });

  it('obeys the rules of the variable', () => {
    const REFRESH_JWT_SECRET_FILE = fileOf('secret', 'short\n');
    const problems = problemsOf({ ...SERVER, REFRESH_JWT_SECRET: '', REFRESH_JWT_SECRET_FILE });
    expect(problems).toEqual(['REFRESH_JWT_SECRET must have at least 32 characters']);
  });
});

describe('the files of TLS', () => {
  let ca: string;
  let cert: string;
  let key: string;
  beforeAll(async () => {
    const authority = await certificateAuthority('test');
    const issued = await authority.issue('service');
    ca = fileOf('ca.pem', authority.certificate);
    cert = fileOf('cert.pem', issued.certificate);
    key = fileOf('key.pem', issued.key);
  });

  it('make require verify, as with libpq', () => {
    const { tls } = databaseOf({ ...SERVER, DB_SSL_MODE: 'require', DB_SSL_CA: ca });
    expect(tls?.mode).toBe('verify-ca');
  });

  it('are read, from a URL too', () => {
    const settings = {
      DB_SSL_MODE: 'verify-full',
      DB_SSL_CA: ca,
      DB_SSL_CERT: cert,
      DB_SSL_KEY: key,
    };
    const bySettings = databaseOf({ ...SERVER, ...settings }).tls;
    expect(bySettings?.ca).toContain('BEGIN CERTIFICATE');
    const url = `${URL}?sslmode=verify-full&sslrootcert=${ca}&sslcert=${cert}&sslkey=${key}`;
    expect(databaseOf({ DATABASE_URL: url }).tls).toEqual(bySettings);
  });

  it('are refused where one is missing, wrong, or of no use', () => {
    const other = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const cases: [string, NodeJS.ProcessEnv][] = [
      ['DB_SSL_CA', { DB_SSL_CA: ca }],
      ['DB_SSL_CA', { DB_SSL_MODE: 'prefer', DB_SSL_CA: ca }],
      ['DB_SSL_CA', { DB_SSL_MODE: 'require', DB_SSL_CA: 'system' }],
      ['DB_SSL_CA', { DB_SSL_MODE: 'verify-full', DB_SSL_CA: key }],
      ['DB_SSL_MODE', { DB_SSL_MODE: 'verify-ca', DB_SSL_CA: 'system' }],
      ['DB_SSL_KEY', { DB_SSL_CERT: cert }],
      ['DB_SSL_CERT', { DB_SSL_KEY: key }],
      ['DB_SSL_KEY', { DB_SSL_CERT: cert, DB_SSL_KEY: ca }],
      ['DB_SSL_KEY', { DB_SSL_CERT: cert, DB_SSL_KEY: fileOf('other.pem', other.privateKey) }],
    ];
    for (const [name, variables] of cases) {
      const problems = problemsOf({ ...SERVER, ...variables });
      expect([variables, problems.map((line) => line.split(' ')[0])]).toEqual([variables, [name]]);
    }
  });
});
