import type { Config } from '.';

const LOCAL = /^https?:\/\/(?:[^/]+\.)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/]|$)/;

const LOCAL_HOST = /^(?:\/|localhost$|127\.\d+\.\d+\.\d+$|::1$)/;

/** What is unsafe about the connection to a database on another machine. */
const TLS_PROBLEMS: Partial<Record<string, string>> = {
  disable: 'is disable: passwords, sessions and hashes can be read from the network',
  prefer:
    'is prefer: whoever controls the network can switch the encryption off, so set verify-full',
  require: 'is require: whoever controls the network can pose as the database, so set verify-full',
};

/** Settings that work but are unsafe in production: the variable and the reason. */
export function unsafeSettings(config: Config): [string, string][] {
  const { tokens, cookies, allowedOrigins } = config;
  const isPlain = (url: string) => cookies.secure && url.startsWith('http:') && !LOCAL.test(url);
  const { host, tls } = config.database;
  const tlsProblem = LOCAL_HOST.test(host) ? undefined : TLS_PROBLEMS[tls?.mode ?? 'disable'];
  const checks: [boolean, string, string][] = [
    [
      tokens.issuerIsDefault,
      'JWT_ISSUER',
      'is not set: other services expect the public URL of this service there',
    ],
    [
      isPlain(tokens.issuer),
      'JWT_ISSUER',
      'is an http URL: browsers drop Secure cookies there, so serve it over https',
    ],
    [
      allowedOrigins.some(isPlain),
      'CLIENT_UI_DOMAIN',
      'names an http origin: browsers send it no Secure cookies, so serve it over https',
    ],
    [
      !config.rateLimitEnabled,
      'RATE_LIMIT_ENABLED',
      'is false: passwords can be guessed without a limit',
    ],
    [
      !cookies.secure,
      'COOKIE_SECURE',
      'is false: tokens can be read from the network wherever a request is not encrypted',
    ],
    [tlsProblem !== undefined, 'DB_SSL_MODE', tlsProblem ?? ''],
  ];
  return checks.flatMap(([isUnsafe, name, reason]) => (isUnsafe ? [[name, reason]] : []));
}
