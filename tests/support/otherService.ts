import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** How another service sees a token, with only `jose` and the key set. */
export interface Verification {
  /** The thumbprint of each key in the set (RFC 7638). */
  thumbprints: string[];
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
}

/** In a separate process: jose is an ES module, which Jest cannot require. */
const PROGRAM = `
  import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose';
  import { readFileSync } from 'node:fs';
  const { jwks, token, issuer, audience } = JSON.parse(readFileSync(0, 'utf8'));
  const thumbprints = await Promise.all(jwks.keys.map((key) => calculateJwkThumbprint(key)));
  const { protectedHeader: header, payload } = await jwtVerify(token, createLocalJWKSet(jwks), {
    issuer, audience, typ: 'at+jwt', algorithms: ['RS256'],
    requiredClaims: ['sub', 'role', 'sid', 'jti', 'iat', 'exp'],
  });
  console.log(JSON.stringify({ thumbprints, header, payload }));
`;

/** Verifies an access token as any other service would; throws if it would refuse. */
export function verifiedElsewhere(input: {
  jwks: unknown;
  token: string | undefined;
  issuer: string;
  audience: string;
}): Verification {
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: path.resolve(__dirname, '../..'),
    input: JSON.stringify(input),
    stdio: ['pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  return JSON.parse(output) as Verification;
}
