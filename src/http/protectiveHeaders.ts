import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';
import type { Config } from '../config';

/** Strict-Transport-Security only in prod: in dev it would force https on all of localhost for a year. */
export function protectiveHeaders(environment: Config['environment']): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  const setHeader = (name: string, value: string) => headers.set(name, value);
  const response = { setHeader, removeHeader: () => undefined } as unknown as ServerResponse;
  const protect = helmet({
    strictTransportSecurity: environment === 'prod',
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
  });
  protect({} as IncomingMessage, response, () => undefined);
  return headers;
}
