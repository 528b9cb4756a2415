import { generateKeyPairSync } from 'node:crypto';
import { altered, hs256, jws, rs256, unsigned } from './jws';
import { REFRESH_SECRET, type TestService } from './service';

const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

export interface TokenCase {
  what: string;
  token: string;
}

const shapeless: TokenCase[] = [
  { what: 'no token at all', token: 'garbage' },
  { what: 'three empty segments', token: '..' },
  { what: 'three segments that are no JSON', token: 'aaaa.bbbb.cccc' },
  { what: 'a JSON cookie', token: encodeURIComponent('j:{"a":1}') },
  { what: 'too long', token: `${'a'.repeat(2000)}.${'b'.repeat(2000)}.${'c'.repeat(2000)}` },
];

/** Only for access tokens: refresh tokens have no issuer and audience check. */
export const FOREIGN_PARTIES: [string, object][] = [
  ['of another issuer', { iss: 'https://evil.example' }],
  ['without issuer', { iss: undefined }],
  ['for another audience', { aud: 'another-service' }],
  ['for another audience as well', { aud: ['auth-service', 'another-service'] }],
  ['without audience', { aud: undefined }],
];

const payloads: [string, object][] = [
  ['without exp', { exp: undefined }],
  ['with an exp that is text', { exp: '9999999999' }],
  ['with an exp that is null', { exp: null }],
  ['long expired', { exp: 1_000_000_000 }],
  ['not yet valid', { nbf: 9_999_999_999 }],
  ['without sub', { sub: undefined }],
  ['with a sub that is a number', { sub: 1 }],
  ['with a sub that is no number', { sub: "1' OR '1'='1" }],
  ['with a negative sub', { sub: '-1' }],
  ['with a fractional sub', { sub: '1.5' }],
  ['with a sub beyond 32 bits', { sub: '2147483648' }],
  ['with a sub beyond 64 bits', { sub: '99999999999999999999' }],
  ['with NUL in its sub', { sub: '1\u0000' }],
  ['with a blank around its sub', { sub: ' 1' }],
  ['with a sub that is an array', { sub: ['1'] }],
  ['without sid', { sid: undefined }],
  ['with a sid that is no UUID', { sid: 'x' }],
  ['with NUL in its sid', { sid: '\u0000' }],
  ['with a sid that is an object', { sid: {} }],
  ['without jti', { jti: undefined }],
  ['with a jti that is an object', { jti: {} }],
  ['with a jti that is a number', { jti: 1 }],
];

const headers: [string, object][] = [
  ['of an unknown type', { typ: 'xyz' }],
  ['without type', { typ: undefined }],
  ['with a critical extension', { crit: ['exp'], exp: 1 }],
  ['with an unknown critical extension', { crit: ['b64'], b64: false }],
];

const nonObjects: [string, string][] = [
  ['a payload that is text', '"hello"'],
  ['a payload that is an array', '[1]'],
  ['a payload that is null', 'null'],
  ['a payload that is a number', '7'],
  ['a payload that is not JSON', '{"sub":'],
  ['an empty payload', ''],
];

/**
 * Invalid access tokens, each one step away from the valid `access`; `refresh` belongs to the same
 * session.
 */
export function badAccessTokens(
  { keys }: Pick<TestService, 'keys'>,
  access: string,
  refresh: string,
): TokenCase[] {
  const signer = rs256(keys.signing.privateKey);
  const { kid } = keys.signing;
  const pem = keys.verifying.get(kid)?.export({ type: 'spki', format: 'pem' }) ?? '';
  const alter = (header: object, payload: object = {}, by = signer) =>
    altered(access, { header, payload }, by);
  return [
    ...shapeless,
    { what: 'the refresh token', token: refresh },
    { what: 'signed by a foreign key', token: alter({}, {}, rs256(foreign)) },
    { what: 'unsigned, of algorithm none', token: alter({ alg: 'none' }, {}, unsigned) },
    { what: 'of algorithm None', token: alter({ alg: 'None' }, {}, unsigned) },
    {
      what: 'signed with the public key as secret',
      token: alter({ alg: 'HS256' }, {}, hs256(pem)),
    },
    {
      what: 'signed with the refresh secret',
      token: alter({ alg: 'HS256' }, {}, hs256(REFRESH_SECRET)),
    },
    { what: 'with a wrong algorithm in its header', token: alter({ alg: 'RS512' }) },
    { what: 'with an unknown kid', token: alter({ kid: 'unknown' }) },
    { what: 'without kid', token: alter({ kid: undefined }) },
    { what: 'with a kid that is an object', token: alter({ kid: {} }) },
    { what: 'with a kid of the prototype', token: alter({ kid: '__proto__' }) },
    { what: 'with a refresh token’s type', token: alter({ typ: 'JWT' }) },
    {
      what: 'with its own key',
      token: alter({ jwk: foreign.export({ format: 'jwk' }) }, {}, rs256(foreign)),
    },
    { what: 'with a changed payload', token: access.replace(/\.[^.]+\./, swapPayload) },
    { what: 'cut short', token: access.slice(0, -8) },
    { what: 'with a blank inside', token: access.replace('.', '. ') },
    ...headers.map(([what, header]) => ({ what, token: alter(header) })),
    ...[...FOREIGN_PARTIES, ...payloads].map(([what, payload]) => ({
      what,
      token: alter({}, payload),
    })),
    ...[undefined, 7, {}, null].map((role) => ({
      what: `with the role ${JSON.stringify(role)}`,
      token: alter({}, { role }),
    })),
    ...nonObjects.map(([what, payload]) => ({
      what: `with ${what}`,
      token: jws({ alg: 'RS256', typ: 'at+jwt', kid }, payload, signer),
    })),
  ];
}

/** Invalid refresh tokens, each one step away from the valid `refresh`. */
export function badRefreshTokens(
  { keys }: Pick<TestService, 'keys'>,
  refresh: string,
  access: string,
): TokenCase[] {
  const signer = hs256(REFRESH_SECRET);
  const alter = (header: object, payload: object = {}, by = signer) =>
    altered(refresh, { header, payload }, by);
  const { kid, privateKey } = keys.signing;
  return [
    ...shapeless,
    { what: 'the access token', token: access },
    { what: 'signed with another secret', token: alter({}, {}, hs256('s'.repeat(32))) },
    { what: 'signed with an empty secret', token: alter({}, {}, hs256('')) },
    { what: 'unsigned, of algorithm none', token: alter({ alg: 'none' }, {}, unsigned) },
    { what: 'of algorithm HS512', token: alter({ alg: 'HS512' }) },
    {
      what: 'signed with the private key',
      token: alter({ alg: 'RS256', kid }, {}, rs256(privateKey)),
    },
    { what: 'with an access token’s type', token: alter({ typ: 'at+jwt' }) },
    { what: 'with a changed payload', token: refresh.replace(/\.[^.]+\./, swapPayload) },
    ...headers.map(([what, header]) => ({ what, token: alter(header) })),
    ...payloads.map(([what, payload]) => ({ what, token: alter({}, payload) })),
    { what: 'with a jti beyond 64 bits', token: alter({}, { jti: '9223372036854775808' }) },
    { what: 'with a negative jti', token: alter({}, { jti: '-1' }) },
    { what: 'with a jti that is no number', token: alter({}, { jti: 'abc' }) },
    { what: 'with NUL in its jti', token: alter({}, { jti: '1\u0000' }) },
    ...nonObjects.map(([what, payload]) => ({
      what: `with ${what}`,
      token: jws({ alg: 'HS256', typ: 'JWT' }, payload, signer),
    })),
  ];
}

/** Another user in the payload, with the old signature. */
function swapPayload(segment: string): string {
  const payload = JSON.parse(Buffer.from(segment, 'base64url').toString()) as object;
  return `.${Buffer.from(JSON.stringify({ ...payload, sub: '1' })).toString('base64url')}.`;
}
