import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { loadDatabaseConfig } from '../../src/config';
import { createDataSource } from '../../src/config/data-source';
import { certificateAuthority } from '../harness/certificateAuthority';
import { runNode } from '../harness/runNode';
import { tempFolder } from '../harness/tempFolder';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { OwnPostgres } from '../support/ownPostgres';
import { ServiceProcess } from '../support/process';
import { environmentFor } from '../support/service';

const folder = tempFolder('tls');
const fileOf = (name: string, content: string) => {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
};

/** The server's certificate is for `localhost`. */
const RIGHT_HOST = 'localhost';
const WRONG_HOST = '127.0.0.1';

const WITHOUT_TLS = /does not support SSL/;
const UNKNOWN_AUTHORITY = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';
const NOT_ADMITTED = '28000';

interface Case {
  mode?: string;
  host?: string;
  /** The authority whose certificate the service has. */
  ca?: 'good' | 'other';
  /** The authority that has issued the client's certificate. */
  client?: 'good' | 'other';
  expected: string | RegExp;
}

const named = (cases: Case[]): [string, Case][] =>
  cases.map((one) => {
    const { mode = 'no mode', host, ca, client, expected } = one;
    const details = [host && `at ${host}`, ca && `${ca} authority`, client && `${client} client`];
    return [`${[mode, ...details].filter(Boolean).join(', ')}: ${String(expected)}`, one];
  });

describe('TLS to PostgreSQL', () => {
  let postgres: OwnPostgres;
  /** Files of both authorities. */
  let files: Record<'good' | 'other', { ca: string; cert: string; key: string }>;
  const started: ServiceProcess[] = [];

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    const both = await Promise.all(
      (['good', 'other'] as const).map(async (name) => {
        const authority = await certificateAuthority(name);
        const server = await authority.issue(RIGHT_HOST);
        const client = await authority.issue('service');
        postgres.write(`${name}.crt`, server.certificate);
        postgres.write(`${name}.key`, server.key);
        postgres.write(`${name}-ca.crt`, authority.certificate);
        const ca = fileOf(`${name}-ca.pem`, authority.certificate);
        const cert = fileOf(`${name}-client.pem`, client.certificate);
        const key = fileOf(`${name}-client.key`, client.key);
        return [name, { ca, cert, key }] as const;
      }),
    );
    files = Object.fromEntries(both) as typeof files;
  }, 60_000);
  afterAll(async () => {
    await Promise.all(started.map((service) => service.stop('SIGKILL')));
    await postgres.remove();
  });

  const serverWithTls = (
    name: 'good' | 'other' = 'good',
    rule = 'host all all all scram-sha-256',
  ) => {
    postgres.admit(rule);
    return postgres.configure({
      ssl: 'on',
      ssl_cert_file: `${name}.crt`,
      ssl_key_file: `${name}.key`,
      ssl_ca_file: 'good-ca.crt',
    });
  };
  const serverWithoutTls = () => {
    postgres.admit('host all all all scram-sha-256');
    return postgres.configure({ ssl: 'off' });
  };

  /** The same settings as variables of their own, or in a URL. */
  const variablesOf = ({ mode, host = RIGHT_HOST, ca, client }: Case, isUrl: boolean) => {
    const { port, username, password, name } = postgres.database;
    if (!isUrl)
      return environmentFor(
        { ...postgres.database, host },
        {
          DB_SSL_MODE: mode,
          DB_SSL_CA: ca && files[ca].ca,
          DB_SSL_CERT: client && files[client].cert,
          DB_SSL_KEY: client && files[client].key,
        },
      );
    const parameters = {
      ...(mode !== undefined && { sslmode: mode }),
      ...(ca && { sslrootcert: files[ca].ca }),
      ...(client && { sslcert: files[client].cert, sslkey: files[client].key }),
    };
    const query = new URLSearchParams(parameters).toString();
    return {
      NODE_ENV: 'test',
      DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${name}?${query}`,
    };
  };

  const isEncrypted = `SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;

  /** Whether PostgreSQL sees an encrypted connection, or why there is none. */
  const outcomeOf = async (variables: NodeJS.ProcessEnv): Promise<string> => {
    const { database } = loadDatabaseConfig(variables);
    const dataSource = createDataSource(database);
    try {
      await dataSource.initialize();
      const [row] = await dataSource.query<{ ssl: boolean }[]>(isEncrypted);
      return row?.ssl ? 'encrypted' : 'plain';
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return code ?? message;
    } finally {
      if (dataSource.isInitialized) await dataSource.destroy();
    }
  };

  const expectOutcome = async (one: Case) => {
    for (const isUrl of [false, true])
      expect(await outcomeOf(variablesOf(one, isUrl))).toMatch(one.expected);
  };

  describe('when the server has it', () => {
    beforeAll(() => serverWithTls());

    it.each(
      named([
        { mode: 'disable', expected: 'plain' },
        { expected: 'encrypted' },
        { mode: 'prefer', expected: 'encrypted' },
        { mode: 'prefer', host: WRONG_HOST, expected: 'encrypted' },
        { mode: 'require', expected: 'encrypted' },
        { mode: 'require', host: WRONG_HOST, expected: 'encrypted' },
        { mode: 'require', ca: 'good', expected: 'encrypted' },
        { mode: 'require', ca: 'other', expected: UNKNOWN_AUTHORITY },
        { mode: 'verify-ca', ca: 'good', expected: 'encrypted' },
        { mode: 'verify-ca', ca: 'good', host: WRONG_HOST, expected: 'encrypted' },
        { mode: 'verify-ca', ca: 'other', expected: UNKNOWN_AUTHORITY },
        { mode: 'verify-full', ca: 'good', expected: 'encrypted' },
        { mode: 'verify-full', ca: 'good', host: WRONG_HOST, expected: WRONG_NAME },
        { mode: 'verify-full', ca: 'other', expected: UNKNOWN_AUTHORITY },
        { mode: 'verify-full', expected: UNKNOWN_AUTHORITY },
      ]),
    )('%s', (_name, one) => expectOutcome(one));
  });

  describe('when the server has none', () => {
    beforeAll(serverWithoutTls);

    it.each(
      named([
        { mode: 'disable', expected: 'plain' },
        { expected: 'plain' },
        { mode: 'prefer', expected: 'plain' },
        { mode: 'require', expected: WITHOUT_TLS },
        { mode: 'verify-ca', ca: 'good', expected: WITHOUT_TLS },
        { mode: 'verify-full', ca: 'good', expected: WITHOUT_TLS },
      ]),
    )('%s', (_name, one) => expectOutcome(one));
  });

  describe('when the server wants a certificate of the client', () => {
    beforeAll(() =>
      serverWithTls('good', 'hostssl all all all scram-sha-256 clientcert=verify-ca'),
    );

    it.each(
      named([
        { mode: 'disable', client: 'good', expected: NOT_ADMITTED },
        { mode: 'prefer', client: 'good', expected: 'encrypted' },
        { mode: 'require', client: 'good', expected: 'encrypted' },
        { mode: 'require', expected: NOT_ADMITTED },
        { mode: 'require', client: 'other', expected: /^(?:ECONNRESET|ERR_SSL_.*UNKNOWN_CA)$/ },
        { mode: 'verify-full', ca: 'good', client: 'good', expected: 'encrypted' },
        { mode: 'verify-full', ca: 'good', expected: NOT_ADMITTED },
      ]),
    )('%s', (_name, one) => expectOutcome(one));

    it('needs no password where the certificate names the role', async () => {
      postgres.admit('hostssl all all all cert');
      await postgres.configure({});
      const { port, username, name } = postgres.database;
      const { cert, key } = files.good;
      const query = `sslmode=require&sslcert=${cert}&sslkey=${key}`;
      const DATABASE_URL = `postgres://${username}@${RIGHT_HOST}:${port}/${name}?${query}`;
      expect(await outcomeOf({ NODE_ENV: 'test', DATABASE_URL })).toBe('encrypted');
    });
  });

  describe('when channel binding is asked for', () => {
    it('authenticates with it', async () => {
      await serverWithTls();
      const { DATABASE_URL } = variablesOf({ mode: 'require', expected: '' }, true);
      const url = `${String(DATABASE_URL)}&channel_binding=require`;
      expect(await outcomeOf({ NODE_ENV: 'test', DATABASE_URL: url })).toBe('encrypted');
    });
  });

  describe('when a server with TLS takes the place of one without', () => {
    it('prefer encrypts the next connection, and not before', async () => {
      await serverWithoutTls();
      const { database } = loadDatabaseConfig(variablesOf({ expected: '' }, false));
      const dataSource = await createDataSource(database).initialize();
      try {
        const look = async () => (await dataSource.query<{ ssl: boolean }[]>(isEncrypted))[0]?.ssl;
        expect(await look()).toBe(false);
        await serverWithTls();
        expect(await look()).toBe(false);
        await postgres.disconnect();
        await until(async () => (await look()) === true, 'an encrypted connection');
      } finally {
        await dataSource.destroy();
      }
    });
  });

  describe('when the host is the folder of a Unix socket', () => {
    it('connects there, in each form of the settings', async () => {
      await serverWithoutTls();
      const { port, username, password, name } = postgres.database;
      const server = net.createServer((near) => {
        near.pipe(net.connect(port, '127.0.0.1')).pipe(near);
      });
      await new Promise<void>((resolve) =>
        server.listen(path.join(folder, '.s.PGSQL.5432'), resolve),
      );
      try {
        const login = `${username}:${password}`;
        const encoded = encodeURIComponent(folder);
        for (const variables of [
          { DB_HOST: folder, DB_USERNAME: username, DB_PASSWORD: password, DB_NAME: name },
          { DATABASE_URL: `postgres://${login}@/${name}?host=${folder}` },
          { DATABASE_URL: `postgres://${login}@${encoded}/${name}?sslmode=require` },
        ])
          expect(await outcomeOf({ NODE_ENV: 'test', ...variables })).toBe('plain');
      } finally {
        server.close();
      }
    });
  });

  describe('when the service runs', () => {
    const settings = (ca: 'good' | 'other') => ({
      DB_HOST: RIGHT_HOST,
      DB_SSL_MODE: 'verify-full',
      DB_SSL_CA: files[ca].ca,
    });
    const ready = async (service: ServiceProcess) =>
      (await service.get('/health/ready')).status === 200;

    it('encrypts all its connections, and those of migrations', async () => {
      await serverWithTls('good', 'hostssl all all all scram-sha-256');
      const service = await ServiceProcess.start(postgres.database, settings('good'));
      started.push(service);
      const crowd = Array.from({ length: 10 }, () => service.post('/auth/register', {}, aUser()));
      const statuses = (await Promise.all(crowd)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([201]));
      const connections = await postgres.run(
        `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE usename = 'service'`,
      );
      expect(connections).toEqual([{ ssl: true }]);
      const command = path.join(process.env.TEST_BUILD ?? '', 'commands/migrate.js');
      const variables = variablesOf({ mode: 'verify-full', ca: 'good', expected: '' }, true);
      expect(runNode([command], variables)).toMatchObject({ code: 0 });
    });

    it('responds with 503 while the server is another one, and recovers', async () => {
      await serverWithTls();
      const service = await ServiceProcess.start(postgres.database, settings('good'));
      started.push(service);
      await serverWithTls('other');
      await postgres.disconnect();
      await until(async () => !(await ready(service)), 'not ready');
      expect((await service.post('/auth/login', {}, aUser())).status).toBe(503);
      await serverWithTls();
      await until(() => ready(service), 'ready');
    });

    it.each<[string, () => Promise<void>, RegExp]>([
      ['an unknown authority', () => serverWithTls(), /certificate/],
      ['no TLS', serverWithoutTls, /does not support SSL/],
    ])('exits with 1 and says why when the server has %s', async (_what, change, reason) => {
      await change();
      const service = await ServiceProcess.spawn(postgres.database, settings('other'));
      started.push(service);
      await until(() => service.exitCode !== null, 'the exit');
      expect(service.exitCode).toBe(1);
      expect(service.stderr).toMatch(reason);
      const command = path.join(process.env.TEST_BUILD ?? '', 'commands/migrate.js');
      const variables = variablesOf({ mode: 'verify-full', ca: 'other', expected: '' }, false);
      const { code, stderr } = runNode([command], variables);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^cannot reach PostgreSQL at [^\n]+\n$/);
    });
  });
});
