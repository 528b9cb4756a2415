import type { z } from 'zod';
import type { databaseSchema } from './databaseSchema';

export interface DatabaseSettings {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly name: string;
  readonly poolSize: number;
  /** None: the connection is not encrypted. */
  readonly tls?: TlsSettings | undefined;
  /** What stands between the service and PostgreSQL; default: nothing. */
  readonly pooler?: 'none' | 'transaction';
  /** Startup options of the operator, as libpq's `options`. */
  readonly options?: string | undefined;
  readonly applicationName?: string | undefined;
  readonly channelBinding?: boolean | undefined;
}

/** libpq's modes, and PEM. */
export interface TlsSettings {
  readonly mode: 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Groups what the settings say; `url` has what only DATABASE_URL can say, by libpq's names. */
export function databaseSettings(
  settings: z.output<typeof databaseSchema>,
  url: ReadonlyMap<string, string>,
): DatabaseSettings {
  return Object.freeze({
    host: settings.DB_HOST,
    port: settings.DB_PORT,
    username: settings.DB_USERNAME,
    password: settings.DB_PASSWORD,
    name: settings.DB_NAME,
    poolSize: settings.DB_POOL_SIZE,
    tls: tlsSettings(settings),
    pooler: settings.DB_POOLER,
    options: url.get('options'),
    applicationName: url.get('application_name'),
    channelBinding: ['prefer', 'require'].includes(url.get('channel_binding') ?? ''),
  });
}

/** As with libpq, a Unix socket is never encrypted, and an authority makes `require` verify. */
function tlsSettings(settings: z.output<typeof databaseSchema>): TlsSettings | undefined {
  const { DB_SSL_MODE: mode, DB_SSL_CERT: cert, DB_SSL_KEY: key } = settings;
  if (mode === 'disable' || settings.DB_HOST.startsWith('/')) return undefined;
  const ca = settings.DB_SSL_CA === 'system' ? undefined : settings.DB_SSL_CA;
  return Object.freeze({ mode: mode === 'require' && ca ? 'verify-ca' : mode, ca, cert, key });
}
