import { availableParallelism } from 'node:os';
import { isIP } from 'node:net';
import path from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { ConfigError } from './ConfigError';
import { databaseSchema } from './databaseSchema';
import { databaseSettings } from './databaseSettings';
import { integer } from './integer';
import { PROJECT_ROOT } from './projectRoot';
import { parameterOf, readVariables, type Variables } from './readVariables';

/** The longest lifetime of an access token, in seconds; a retired key verifies for as long. */
export const MAX_ACCESS_TOKEN_LIFETIME = 60 * 60;

const boolean = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((value) => value === 'true');

/** Printable, without white space: a URL parser drops line ends and tabs, and a token would keep them. */
const PRINTABLE = /^[^\s\p{C}]+$/u;

const HOST = String.raw`(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d+)?`;
const ORIGIN = new RegExp(`^https?://${HOST}/?$`);

/** Converted to the form that browsers send: lower case, punycode, no default port. */
const origin = z
  .string()
  .refine(
    (value) => !value.includes('*'),
    'must not contain *: browsers send cookies only to named origins, so list each of them',
  )
  .refine(
    (value) =>
      PRINTABLE.test(value) &&
      URL.canParse(value) &&
      /^https?:\/\/[^/\\?#@]+\/?$/i.test(value) &&
      ORIGIN.test(new URL(value).href),
    'must be origins like https://app.example.com, separated by commas',
  );

const origins = z
  .string('is missing')
  .transform((value) => value.split(',').map((part) => part.trim()))
  .pipe(z.array(origin))
  .transform((values) => values.map((value) => new URL(value).origin));

const url = z
  .string()
  .max(255, 'must have at most 255 characters: every token contains it')
  .refine(
    (value) =>
      PRINTABLE.test(value) &&
      URL.canParse(value) &&
      /^https?:\/\/[^/?#@*]+[\w\-./~%]*$/.test(new URL(value).href),
    'must be an http(s) URL, with nothing but a path after the host',
  );

const audience = z
  .string()
  .max(255, 'must have at most 255 characters: every token contains it')
  .regex(PRINTABLE, 'must not contain white space or control characters');

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*\.(?!\d+$)${LABEL}$`);

/** Browsers ignore a leading dot (RFC 6265 section 5.2.3). */
const cookieDomain = z
  .string()
  .transform((value) => value.toLowerCase().replace(/^\./, ''))
  .refine(
    (value) => value.length <= 253 && DOMAIN.test(value),
    'must be a domain such as example.com; leave it empty for localhost or an address',
  );

const host = z
  .string()
  .refine(
    (value) => isIP(value) !== 0 || new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i').test(value),
    'must be an address such as 0.0.0.0, or a host name',
  );

const HOPS = /^\d{1,2}$/;

const isProxy = (value: string) =>
  ['loopback', 'linklocal', 'uniquelocal'].includes(value) ||
  isIP(value) !== 0 ||
  (isIP(value.replace(/\/.*/, '')) !== 0 && ipaddr.isValidCIDR(value) && !/\/0+$/.test(value));

/** Express's `trust proxy`: a number of hops, or addresses, subnets and names of subnets. */
const trustProxy = z
  .string()
  .refine(
    (value) => HOPS.test(value) || value.split(',').every((part) => isProxy(part.trim())),
    'must be a number of hops, or a list of addresses and subnets',
  )
  .transform((value) => (HOPS.test(value) ? Number(value) : value));

const secret = z
  .string('is missing')
  .min(32, 'must have at least 32 characters')
  .refine((value) => new Set(value).size >= 8, 'is too uniform to be a secret');

const PLACEHOLDER =
  /change.?(?:me|this|it)|replace.?(?:me|this|with)|placeholder|example|your.?secret/i;

/** Every setting with its rule and its default, before the settings are put into groups. */
export const schemaFor = (environment: 'dev' | 'prod' | 'test') => {
  const prod = environment === 'prod';
  const signingSecret = prod
    ? secret.refine((value) => !PLACEHOLDER.test(value), 'is the placeholder of an example')
    : secret;
  return databaseSchema
    .safeExtend({
      PORT: integer(1, 65_535).default(prod ? 3000 : 5501),
      HOST: host.optional(),
      METRICS_PORT: integer(1, 65_535).optional(),
      METRICS_HOST: host.optional(),
      CERTS_DIR: z.string().min(1).default('certs'),
      PRIVATE_KEY: z.string().optional(),
      PUBLIC_KEYS: z.string().optional(),
      REFRESH_JWT_SECRET: signingSecret,
      REFRESH_JWT_SECRET_NEXT: signingSecret.optional(),
      REFRESH_JWT_SECRET_PREVIOUS: signingSecret.optional(),
      CLIENT_UI_DOMAIN: prod ? origins : origins.default(['http://localhost:5173']),
      JWT_ISSUER: url.optional(),
      JWT_AUDIENCE: audience.default('auth-service'),
      ACCESS_TOKEN_LIFETIME_SECONDS: integer(60, MAX_ACCESS_TOKEN_LIFETIME).default(
        MAX_ACCESS_TOKEN_LIFETIME,
      ),
      BCRYPT_ROUNDS: integer(10, 15).default(10),
      HASH_QUEUE_LIMIT: integer(1, 10_000).default(100),
      REFRESH_REUSE_WINDOW_SECONDS: integer(0, 300).default(10),
      SESSION_LIFETIME_DAYS: integer(1, 3650).default(30),
      SESSION_ABSOLUTE_LIFETIME_DAYS: integer(1, 3650).default(90),
      SESSION_PURGE_INTERVAL_SECONDS: integer(0, 86_400).default(600),
      SESSIONS_PER_USER: integer(1, 10_000).default(100),
      RATE_LIMIT_ENABLED: boolean.default(true),
      COOKIE_DOMAIN: cookieDomain.optional(),
      COOKIE_SAME_SITE: z
        .enum(['strict', 'lax', 'none'], 'must be strict, lax or none')
        .default('strict'),
      COOKIE_SECURE: boolean.default(prod),
      REFRESH_COOKIE_PATH: z
        .string()
        .regex(/^\/[\w\-./]{0,254}$/, 'must be a path such as /auth')
        // Browsers remove such segments from the address, but not from a cookie's path.
        .refine((value) => !/\/\.\.?(?:\/|$)/.test(value), 'must not contain /./ or /../')
        .default('/'),
      COOKIE_PREFIX: z
        .enum(['__Host-', '__Secure-'], 'must be __Host- or __Secure-, or not set')
        .optional(),
      TRUST_PROXY: trustProxy.optional(),
      KEEP_ALIVE_TIMEOUT_SECONDS: integer(1, 3600).default(65),
      DRAIN_TIMEOUT_SECONDS: integer(1, 300).default(prod ? 9 : 1),
      AUDIT_LOG_FILE: z.string().min(1).optional(),
      WEB_CONCURRENCY: z
        .union(
          [z.literal('auto').transform(() => availableParallelism()), integer(1, 256)],
          'must be a number from 1 to 256, or auto',
        )
        .default(1),
      API_DOCS: boolean.default(environment === 'dev'),
      LOG_LEVEL: z
        .enum(['error', 'warn', 'info', 'debug'], 'must be error, warn, info or debug')
        .default('info'),
    })
    .refine((settings) => settings.METRICS_PORT !== settings.PORT, {
      path: ['METRICS_PORT'],
      message: 'must not be PORT: everyone who reaches the service could read the figures',
    })
    .refine((settings) => settings.COOKIE_SAME_SITE !== 'none' || settings.COOKIE_SECURE, {
      path: ['COOKIE_SAME_SITE'],
      message: 'may be none only together with COOKIE_SECURE=true: browsers drop such cookies',
    })
    .refine((settings) => !settings.COOKIE_PREFIX || settings.COOKIE_SECURE, {
      path: ['COOKIE_PREFIX'],
      message: 'needs COOKIE_SECURE=true: browsers drop such cookies',
    })
    .refine(
      ({ COOKIE_PREFIX, COOKIE_DOMAIN, REFRESH_COOKIE_PATH }) =>
        COOKIE_PREFIX !== '__Host-' || (!COOKIE_DOMAIN && REFRESH_COOKIE_PATH === '/'),
      {
        path: ['COOKIE_PREFIX'],
        message:
          'may be __Host- only without COOKIE_DOMAIN and REFRESH_COOKIE_PATH: browsers drop such cookies',
      },
    );
};

type Settings = z.output<ReturnType<typeof schemaFor>>;

const keysOf = (settings: Pick<Settings, 'CERTS_DIR' | 'PRIVATE_KEY' | 'PUBLIC_KEYS'>) =>
  Object.freeze({
    dir: path.resolve(PROJECT_ROOT, settings.CERTS_DIR),
    privateKey: settings.PRIVATE_KEY,
    publicKeys: settings.PUBLIC_KEYS,
  });

/** Where the figures can be read; undefined: nowhere. Without a host on all interfaces. */
const metricsOf = (
  { METRICS_PORT: port, METRICS_HOST }: Pick<Settings, 'METRICS_PORT' | 'METRICS_HOST'>,
  defaultHost: string | undefined,
) => (port === undefined ? undefined : Object.freeze({ port, host: METRICS_HOST ?? defaultHost }));

/** The first problem of each setting: a secret that is too short is often also too uniform. */
function linesOf(error: z.ZodError, variables: Variables): Map<string, string> {
  const lines = new Map<string, string>();
  for (const { path, message } of error.issues.toReversed()) {
    const setting = String(path[0]);
    const problem = message.replace(/^Invalid input.*/, 'is invalid');
    const parameter = parameterOf(variables, setting);
    if (parameter === undefined) lines.set(setting, `${setting} ${problem}`);
    else lines.set('DATABASE_URL', `DATABASE_URL: its ${parameter} ${problem}`);
  }
  return lines;
}

/** The settings of a schema, or everything that is wrong with them. */
function check<Schema extends z.ZodObject>(schema: Schema, variables: Variables): z.output<Schema> {
  const result = schema.safeParse(variables.values);
  const lines = new Map([
    ...(result.success ? [] : linesOf(result.error, variables)),
    ...[...variables.problems].filter(([setting]) => setting in schema.shape),
  ]);
  if (!result.success || lines.size > 0) throw new ConfigError([...lines.values()]);
  return result.data;
}

/**
 * All settings, checked and frozen; durations in seconds. `environment` takes precedence over the
 * `.env.<NODE_ENV>` file in `folder`. An empty variable counts as not set.
 * @throws {ConfigError} with everything that is wrong.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env, folder = PROJECT_ROOT) {
  const variables = readVariables(environment, folder);
  const { environment: name } = variables;
  const settings = check(schemaFor(name), variables);
  return Object.freeze({
    environment: name,
    port: settings.PORT,
    /** Empty for all interfaces. */
    hosts: Object.freeze(
      settings.HOST ? [settings.HOST] : name === 'prod' ? [] : ['127.0.0.1', '::1'],
    ),
    metrics: metricsOf(settings, name === 'prod' ? undefined : '127.0.0.1'),
    allowedOrigins: settings.CLIENT_UI_DOMAIN,
    trustProxy: settings.TRUST_PROXY,
    webConcurrency: settings.WEB_CONCURRENCY,
    keepAliveTimeout: settings.KEEP_ALIVE_TIMEOUT_SECONDS,
    drainTimeout: settings.DRAIN_TIMEOUT_SECONDS,
    auditLogFile: settings.AUDIT_LOG_FILE,
    logLevel: settings.LOG_LEVEL,
    apiDocs: settings.API_DOCS,
    hashing: Object.freeze({
      rounds: settings.BCRYPT_ROUNDS,
      concurrency: availableParallelism(),
      limit: settings.HASH_QUEUE_LIMIT,
      patience: 4_000,
    }),
    rateLimitEnabled: settings.RATE_LIMIT_ENABLED,
    database: databaseSettings(settings, variables.url),
    keys: keysOf(settings),
    tokens: Object.freeze({
      issuer: settings.JWT_ISSUER ?? `http://localhost:${settings.PORT}`,
      issuerIsDefault: settings.JWT_ISSUER === undefined,
      audience: settings.JWT_AUDIENCE,
      refreshSecret: settings.REFRESH_JWT_SECRET,
      verifyingRefreshSecrets: [
        settings.REFRESH_JWT_SECRET_NEXT,
        settings.REFRESH_JWT_SECRET_PREVIOUS,
      ].filter((value) => value !== undefined),
      accessLifetime: settings.ACCESS_TOKEN_LIFETIME_SECONDS,
    }),
    sessions: Object.freeze({
      slidingLifetime: settings.SESSION_LIFETIME_DAYS * 24 * 60 * 60,
      absoluteLifetime: settings.SESSION_ABSOLUTE_LIFETIME_DAYS * 24 * 60 * 60,
      reuseWindow: settings.REFRESH_REUSE_WINDOW_SECONDS,
      purgeInterval: settings.SESSION_PURGE_INTERVAL_SECONDS,
      maxPerUser: settings.SESSIONS_PER_USER,
    }),
    cookies: Object.freeze({
      prefix: settings.COOKIE_PREFIX ?? '',
      domain: settings.COOKIE_DOMAIN,
      sameSite: settings.COOKIE_SAME_SITE,
      secure: settings.COOKIE_SECURE,
      refreshPath: settings.REFRESH_COOKIE_PATH,
    }),
  });
}

export type Config = ReturnType<typeof loadConfig>;

/** Leaves threads for DNS, files and signatures beside the hashes. Must precede the pool's first use. */
export function sizeThreadPool(): void {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));
}

/** The database settings for commands that change it, past the pooler. @throws {ConfigError} as {@link loadConfig}. */
export function loadDatabaseConfig(
  environment: NodeJS.ProcessEnv = process.env,
): Pick<Config, 'environment' | 'database'> {
  const variables = readVariables(environment, PROJECT_ROOT);
  const settings = check(databaseSchema, variables);
  if (settings.DB_POOLER !== 'none')
    throw new ConfigError([
      'DB_POOLER must be none here: this command needs a connection to PostgreSQL itself',
    ]);
  return {
    environment: variables.environment,
    database: databaseSettings(settings, variables.url),
  };
}

/** Only the settings of the keys. @throws {ConfigError} as {@link loadConfig}. */
export function loadKeyConfig(environment: NodeJS.ProcessEnv = process.env): Pick<Config, 'keys'> {
  const variables = readVariables(environment, PROJECT_ROOT);
  const { CERTS_DIR, PRIVATE_KEY, PUBLIC_KEYS } = schemaFor(variables.environment).shape;
  const schema = z.object({ CERTS_DIR, PRIVATE_KEY, PUBLIC_KEYS });
  return { keys: keysOf(check(schema, variables)) };
}
