import { setInterval } from 'node:timers';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { discoverKeys } from './discoverKeys.js';
import { Refusal } from './Refusal.js';

interface KeySettings {
  issuer: string;
  jwksUri: string | undefined;
  /** In seconds. */
  refreshInterval: number;
}

type KeySet = ReturnType<typeof createRemoteJWKSet>;

const TIMEOUT_MS = 2_000;

/**
 * The issuer's keys. Only the first request waits for them: they are refreshed in the background, and the
 * last ones stay while the issuer is down.
 *
 * @throws {Refusal} `unavailable` as long as there were never any, or for an unknown key of an issuer that is down
 */
export function issuerKeys({ issuer, jwksUri, refreshInterval }: KeySettings): JWTVerifyGetKey {
  let keys: KeySet | undefined;
  let discovering: Promise<KeySet> | undefined;

  const open = (uri: URL) =>
    (keys = createRemoteJWKSet(uri, { cacheMaxAge: Infinity, timeoutDuration: TIMEOUT_MS }));
  if (jwksUri !== undefined) open(new URL(jwksUri));
  const current = async () => {
    if (keys) return keys;
    discovering ??= discoverKeys(issuer, TIMEOUT_MS)
      .then(open)
      .finally(() => (discovering = undefined));
    return discovering;
  };

  setInterval(() => {
    void current()
      .then((set) => set.reload())
      .catch(() => undefined);
  }, refreshInterval * 1000).unref();

  return async (header, token) => {
    const set = await current();
    try {
      return await set(header, token);
    } catch (error) {
      throw isOutage(error) ? new Refusal('unavailable', error) : error;
    }
  };
}

/** A failed fetch is no error of jose, another status than 200 is one without a code of its own. */
const isOutage = (error: unknown) =>
  !(error instanceof errors.JOSEError) ||
  error instanceof errors.JWKSTimeout ||
  error.code === 'ERR_JOSE_GENERIC';
