import { Refusal } from './Refusal.js';

/**
 * The address of the issuer's keys, from its metadata (OpenID Connect Discovery 1.0 section 4).
 *
 * @throws {Refusal} `unavailable` if the issuer cannot be reached
 * @throws {Error} if the metadata are of another issuer: the setting is wrong
 */
export async function discoverKeys(issuer: string, timeout: number): Promise<URL> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const metadata = await metadataAt(url, timeout);
  if (metadata.issuer !== issuer)
    throw new Error(`${url} is of the issuer ${metadata.issuer}, not of ${issuer}`);
  return new URL(metadata.jwks_uri);
}

async function metadataAt(url: string, timeout: number) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeout) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return (await response.json()) as { issuer: string; jwks_uri: string };
  } catch (cause) {
    throw new Refusal('unavailable', cause);
  }
}
