import type { ConnectionOptions } from 'node:tls';
import type { TlsSettings } from './databaseSettings';

/** Node's options for a mode of libpq; node-postgres itself takes every mode for verify-full. */
export function tlsOptions({ mode, ca, cert, key }: TlsSettings): ConnectionOptions {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key }),
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}
