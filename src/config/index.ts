import { availableParallelism } from 'node:os';
import { isIP } from 'node:net';
import path from 'node:path';
import { config as loadDotenv } from 'dotenv';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** The folder of package.json, certs/ and the .env files; the same from src/ and from dist/. */
export const PROJECT_ROOT = path.resolve(__dirname, '../..');

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

const origin = z.string().refine((value) => {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return ['http:', 'https:'].includes(url.protocol) && url.origin === value.replace(/\/$/, '');
}, 'must be origins like https://app.example.com, separated by commas');

const origins = z
  .string('is missing')
  .transform((value) => value.split(',').map((part) => part.trim()))
  .pipe(z.array(origin))
  .transform((values) => values.map((value) => new URL(value).origin));

const url = z
  .string()
  .refine(
    (value) => URL.canParse(value) && /^https?:\/\/[^/?#]+[\w\-./~%]*$/.test(new URL(value).href),
    'must be an http(s) URL, with nothing but a path behind the host',
  );

const HOPS = /^\d{1,2}$/;

const isProxy = (value: string) =>
  ['loopback', 'linklocal', 'uniquelocal'].includes(value) ||
  isIP(value) !== 0 ||
  (isIP(value.replace(/\/.*/, '')) !== 0 && ipaddr.isValidCIDR(value));

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

const schemaFor = (environment: 'dev' | 'prod' | 'test') => {
  const prod = environment === 'prod';
  return z
    .object({
      PORT: integer(1, 65_535).default(prod ? 3000 : 5501),
      DB_HOST: required('DB_HOST'),
      DB_PORT: integer(1, 65_535).default(5432),
      DB_USERNAME: required('DB_USERNAME'),
      DB_PASSWORD: required('DB_PASSWORD'),
      DB_NAME: required('DB_NAME'),
      DB_POOL_SIZE: integer(1, 500).default(10),
      CERTS_DIR: z.string().min(1).default('certs'),
      PRIVATE_KEY: z.string().optional(),
      PUBLIC_KEYS: z.string().optional(),
      REFRESH_JWT_SECRET: secret,
      REFRESH_JWT_SECRET_PREVIOUS: secret.optional(),
      CLIENT_UI_DOMAIN: prod ? origins : origins.default(['http://localhost:5173']),
      JWT_ISSUER: url.optional(),
      JWT_AUDIENCE: z.string().min(1).default('auth-service'),
      BCRYPT_ROUNDS: integer(10, 15).default(10),
      HASH_QUEUE_LIMIT: integer(1, 10_000).default(100),
      REFRESH_REUSE_WINDOW_SECONDS: integer(0, 300).default(10),
      SESSION_LIFETIME_DAYS: integer(1, 3650).default(30),
      SESSION_ABSOLUTE_LIFETIME_DAYS: integer(1, 3650).default(90),
      SESSION_PURGE_INTERVAL_SECONDS: integer(0, 86_400).default(600),
      SESSIONS_PER_USER: integer(1, 10_000).default(100),
      RATE_LIMIT_ENABLED: boolean.default(true),
      COOKIE_DOMAIN: z
        .string()
        .regex(/^\.?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i, 'must be a domain such as example.com')
        .optional(),
      COOKIE_SAME_SITE: z
        .enum(['strict', 'lax', 'none'], 'must be strict, lax or none')
        .default('strict'),
      COOKIE_SECURE: boolean.default(prod),
      REFRESH_COOKIE_PATH: z
        .string()
        .regex(/^\/[\w\-./]*$/, 'must be a path such as /auth')
        .default('/'),
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
      LOG_LEVEL: z
        .enum(['error', 'warn', 'info', 'debug'], 'must be error, warn, info or debug')
        .default('info'),
    })
    .refine((settings) => settings.COOKIE_SAME_SITE !== 'none' || settings.COOKIE_SECURE, {
      path: ['COOKIE_SAME_SITE'],
      message: 'may be none only together with COOKIE_SECURE=true: browsers drop such cookies',
    });
};

/** Missing or invalid settings; `problems` has one line for each, without its value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/**
 * The settings, typed, frozen, and checked as a whole. Durations are in seconds.
 *
 * `environment` takes precedence over the `.env.<NODE_ENV>` file in the project's root. An empty
 * variable counts as not set.
 *
 * @throws {ConfigError} with everything that is wrong.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env) {
  const name = ENVIRONMENTS.get(environment.NODE_ENV ?? 'prod');
  if (name === undefined) throw new ConfigError(['NODE_ENV must be dev, prod or test']);

  const fromFile: Record<string, string> = {};
  loadDotenv({
    path: path.join(PROJECT_ROOT, `.env.${name}`),
    processEnv: fromFile,
    quiet: true,
  });
  const merged = Object.entries({ ...fromFile, ...environment }).filter(([, value]) => value);
  const result = schemaFor(name).safeParse(Object.fromEntries(merged));
  if (!result.success) {
    // The first problem of each setting: a secret that is too short is often also too uniform.
    const problems = new Map<string, string>();
    for (const {
      path: [name],
      message,
    } of result.error.issues.toReversed())
      problems.set(String(name), message.replace(/^Invalid input.*/, 'is invalid'));
    throw new ConfigError([...problems].map(([name, message]) => `${name} ${message}`));
  }

  const settings = result.data;
  return Object.freeze({
    environment: name,
    port: settings.PORT,
    allowedOrigins: settings.CLIENT_UI_DOMAIN,
    trustProxy: settings.TRUST_PROXY,
    webConcurrency: settings.WEB_CONCURRENCY,
    keepAliveTimeout: settings.KEEP_ALIVE_TIMEOUT_SECONDS,
    drainTimeout: settings.DRAIN_TIMEOUT_SECONDS,
    auditLogFile: settings.AUDIT_LOG_FILE,
    logLevel: settings.LOG_LEVEL,
    hashing: Object.freeze({
      rounds: settings.BCRYPT_ROUNDS,
      concurrency: availableParallelism(),
      limit: settings.HASH_QUEUE_LIMIT,
      patience: 4_000,
    }),
    rateLimitEnabled: settings.RATE_LIMIT_ENABLED,
    database: Object.freeze({
      host: settings.DB_HOST,
      port: settings.DB_PORT,
      username: settings.DB_USERNAME,
      password: settings.DB_PASSWORD,
      name: settings.DB_NAME,
      poolSize: settings.DB_POOL_SIZE,
    }),
    keys: Object.freeze({
      dir: path.resolve(PROJECT_ROOT, settings.CERTS_DIR),
      privateKey: settings.PRIVATE_KEY,
      publicKeys: settings.PUBLIC_KEYS,
    }),
    tokens: Object.freeze({
      issuer: settings.JWT_ISSUER ?? `http://localhost:${settings.PORT}`,
      issuerIsDefault: settings.JWT_ISSUER === undefined,
      audience: settings.JWT_AUDIENCE,
      refreshSecret: settings.REFRESH_JWT_SECRET,
      previousRefreshSecret: settings.REFRESH_JWT_SECRET_PREVIOUS,
      accessLifetime: 60 * 60,
    }),
    sessions: Object.freeze({
      slidingLifetime: settings.SESSION_LIFETIME_DAYS * 24 * 60 * 60,
      absoluteLifetime: settings.SESSION_ABSOLUTE_LIFETIME_DAYS * 24 * 60 * 60,
      reuseWindow: settings.REFRESH_REUSE_WINDOW_SECONDS,
      purgeInterval: settings.SESSION_PURGE_INTERVAL_SECONDS,
      maxPerUser: settings.SESSIONS_PER_USER,
    }),
    cookies: Object.freeze({
      domain: settings.COOKIE_DOMAIN,
      sameSite: settings.COOKIE_SAME_SITE,
      secure: settings.COOKIE_SECURE,
      refreshPath: settings.REFRESH_COOKIE_PATH,
    }),
  });
}

export type Config = ReturnType<typeof loadConfig>;

/**
 * Makes libuv's thread pool larger than the password hashes can fill (one per core), so that DNS, files
 * and signatures keep threads. Takes effect only before the pool's first use.
 */
export function sizeThreadPool(): void {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));
}
