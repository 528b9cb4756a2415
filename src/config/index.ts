import { availableParallelism } from 'node:os';
import { isIP } from 'node:net';
import path from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { readEnvironmentFile } from './readEnvironmentFile';

/** The folder of package.json, certs/ and the .env files; the same from src/ and from dist/. */
export const PROJECT_ROOT = path.resolve(__dirname, '../..');

/** The longest life of an access token, in seconds: a retired key must verify for so long. */
export const MAX_ACCESS_TOKEN_LIFETIME = 60 * 60;

const ENVIRONMENTS = new Map<string, 'dev' | 'prod' | 'test'>([
  ['dev', 'dev'],
  ['development', 'dev'],
  ['prod', 'prod'],
  ['production', 'prod'],
  ['test', 'test'],
  ['', 'prod'],
]);

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);

const boolean = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((value) => value === 'true');

const required = (name: string) => z.string(`is missing`).min(1, `${name} must not be empty`);

/** Printable, without white space: a URL parser drops line ends and tabs, and a token would keep them. */
const PRINTABLE = /^[^\s\p{C}]+$/u;

const HOST = String.raw`(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d+)?`;
const ORIGIN = new RegExp(`^https?://${HOST}/?$`);

/** An origin as browsers send it: lower case, punycode, without a default port. */
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
    'must be an http(s) URL, with nothing but a path behind the host',
  );

const audience = z
  .string()
  .max(255, 'must have at most 255 characters: every token contains it')
  .regex(PRINTABLE, 'must not contain white space or control characters');

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*\.(?!\d+$)${LABEL}$`);

/** A leading dot means nothing to browsers (RFC 6265 section 5.2.3). */
const cookieDomain = z
  .string()
  .transform((value) => value.toLowerCase().replace(/^\./, ''))
  .refine(
    (value) => value.length <= 253 && DOMAIN.test(value),
    'must be a domain such as example.com; leave it empty for localhost or an address',
  );

/** `localhost`, a name or an address to listen on. */
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

/** Express's `trust proxy`: a number of hops, or addresses, subnets and their names. */
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

/** What examples and templates have in the place of a secret. */
const PLACEHOLDER =
  /change.?(?:me|this|it)|replace.?(?:me|this|with)|placeholder|example|your.?secret/i;

/** Kept as they are, apart from line ends behind them: a password may begin or end with a space. */
const SECRETS: readonly string[] = [
  'DB_PASSWORD',
  'REFRESH_JWT_SECRET',
  'REFRESH_JWT_SECRET_NEXT',
  'REFRESH_JWT_SECRET_PREVIOUS',
];

/** Every setting with its rule and its default, before the settings are put into groups. */
export const schemaFor = (environment: 'dev' | 'prod' | 'test') => {
  const prod = environment === 'prod';
  const signingSecret = prod
    ? secret.refine((value) => !PLACEHOLDER.test(value), 'is the placeholder of an example')
    : secret;
  return z
    .object({
      PORT: integer(1, 65_535).default(prod ? 3000 : 5501),
      HOST: host.optional(),
      DB_HOST: required('DB_HOST'),
      DB_PORT: integer(1, 65_535).default(5432),
      DB_USERNAME: required('DB_USERNAME'),
      DB_PASSWORD: required('DB_PASSWORD'),
      DB_NAME: required('DB_NAME'),
      DB_POOL_SIZE: integer(1, 500).default(10),
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

const databaseOf = (settings: Pick<Settings, `DB_${string}` & keyof Settings>) =>
  Object.freeze({
    host: settings.DB_HOST,
    port: settings.DB_PORT,
    username: settings.DB_USERNAME,
    password: settings.DB_PASSWORD,
    name: settings.DB_NAME,
    poolSize: settings.DB_POOL_SIZE,
  });

const keysOf = (settings: Pick<Settings, 'CERTS_DIR' | 'PRIVATE_KEY' | 'PUBLIC_KEYS'>) =>
  Object.freeze({
    dir: path.resolve(PROJECT_ROOT, settings.CERTS_DIR),
    privateKey: settings.PRIVATE_KEY,
    publicKeys: settings.PUBLIC_KEYS,
  });

/** Missing or invalid settings; `problems` has one line for each, without its value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

type Variables = Record<string, string>;

/** The variables that have a value, without white space around it; a secret keeps its spaces. */
function withoutBlanks(variables: NodeJS.ProcessEnv): Variables {
  const trimmed = Object.entries(variables).map(([name, value = '']) => [
    name,
    SECRETS.includes(name) ? value.replace(/[\r\n]+$/, '') : value.trim(),
  ]);
  return Object.fromEntries(trimmed.filter(([, value]) => value)) as Variables;
}

/**
 * One line for each variable whose value dotenv cut at a `#`. Behind white space it begins a comment,
 * except in a secret, where it may be meant as a part.
 */
function cutValues(
  { values, comments }: ReturnType<typeof readEnvironmentFile>,
  used: Variables,
): Map<string, string> {
  const own = withoutBlanks(values);
  const cut = Object.entries(comments).filter(
    ([name, comment]) =>
      used[name] === own[name] &&
      (comment.startsWith('#') || (SECRETS.includes(name) && own[name] !== undefined)),
  );
  return new Map(
    cut.map(([name]) => [name, 'is cut at its #: put the value in the file into \'…\' or "…"']),
  );
}

/** The first problem of each setting: a secret that is too short is often also too uniform. */
function problemsOf(error: z.ZodError): Map<string, string> {
  const problems = new Map<string, string>();
  for (const {
    path: [name],
    message,
  } of error.issues.toReversed())
    problems.set(String(name), message.replace(/^Invalid input.*/, 'is invalid'));
  return problems;
}

/** The variables of the environment, and those of its file that it does not set. */
function readVariables(environment: NodeJS.ProcessEnv, folder: string) {
  const name = ENVIRONMENTS.get(environment.NODE_ENV?.trim() ?? '');
  if (name === undefined) throw new ConfigError(['NODE_ENV must be dev, prod or test']);
  const file = fileOf(path.join(folder, `.env.${name}`));
  const values = { ...withoutBlanks(file.values), ...withoutBlanks(environment) };
  return { name, values, cut: cutValues(file, values) };
}

/** The settings of a schema, or everything that is wrong with them. */
function check<Schema extends z.ZodObject>(
  schema: Schema,
  { values, cut }: ReturnType<typeof readVariables>,
): z.output<Schema> {
  const result = schema.safeParse(values);
  const problems = new Map([
    ...(result.success ? [] : problemsOf(result.error)),
    ...[...cut].filter(([name]) => name in schema.shape),
  ]);
  if (!result.success || problems.size > 0)
    throw new ConfigError([...problems].map(([name, message]) => `${name} ${message}`));
  return result.data;
}

/**
 * The settings, typed, frozen, and checked as a whole. Durations are in seconds.
 *
 * `environment` takes precedence over the `.env.<NODE_ENV>` file in `folder`. White space around a
 * value does not count, and an empty variable counts as not set.
 *
 * @throws {ConfigError} with everything that is wrong.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env, folder = PROJECT_ROOT) {
  const variables = readVariables(environment, folder);
  const { name } = variables;
  const settings = check(schemaFor(name), variables);
  return Object.freeze({
    environment: name,
    port: settings.PORT,
    /** What to listen on; empty for all interfaces. */
    hosts: Object.freeze(
      settings.HOST ? [settings.HOST] : name === 'prod' ? [] : ['127.0.0.1', '::1'],
    ),
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
    database: databaseOf(settings),
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

/** @throws {ConfigError} if the file exists but cannot be read: it would hide what is wrong in it. */
function fileOf(file: string): ReturnType<typeof readEnvironmentFile> {
  try {
    return readEnvironmentFile(file);
  } catch (error) {
    throw new ConfigError([(error as Error).message]);
  }
}

export type Config = ReturnType<typeof loadConfig>;

/**
 * Makes libuv's thread pool larger than the password hashes can fill (one per core), so that DNS, files
 * and signatures keep threads. Takes effect only before the pool's first use.
 */
export function sizeThreadPool(): void {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));
}

/**
 * The settings of the database alone: a command that uses no others runs without them.
 *
 * @throws {ConfigError} as {@link loadConfig}.
 */
export function loadDatabaseConfig(
  environment: NodeJS.ProcessEnv = process.env,
): Pick<Config, 'environment' | 'database'> {
  const variables = readVariables(environment, PROJECT_ROOT);
  const { name } = variables;
  const { DB_HOST, DB_PORT, DB_USERNAME, DB_PASSWORD, DB_NAME, DB_POOL_SIZE } =
    schemaFor(name).shape;
  const schema = z.object({ DB_HOST, DB_PORT, DB_USERNAME, DB_PASSWORD, DB_NAME, DB_POOL_SIZE });
  return { environment: name, database: databaseOf(check(schema, variables)) };
}

/**
 * The settings of the keys alone.
 *
 * @throws {ConfigError} as {@link loadConfig}.
 */
export function loadKeyConfig(environment: NodeJS.ProcessEnv = process.env): Pick<Config, 'keys'> {
  const variables = readVariables(environment, PROJECT_ROOT);
  const { CERTS_DIR, PRIVATE_KEY, PUBLIC_KEYS } = schemaFor(variables.name).shape;
  const schema = z.object({ CERTS_DIR, PRIVATE_KEY, PUBLIC_KEYS });
  return { keys: keysOf(check(schema, variables)) };
}
