import { createHmac, sign, type KeyObject } from 'node:crypto';

/** Signs a token's first two segments. */
export type Signer = (input: string) => Buffer;

export const rs256 =
  (key: KeyObject): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), key);

export const hs256 =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest();

export const unsigned: Signer = () => Buffer.alloc(0);

const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A token made without a library: strings are used as they are, objects as JSON. */
export function jws(header: unknown, payload: unknown, signer: Signer): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signer(input).toString('base64url')}`;
}

export interface Decoded {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
}

/** A token's header and payload, unverified. */
export function decoded(token = ''): Decoded {
  const [header = '', payload = ''] = token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString());
  return {
    header: JSON.parse(header) as Decoded['header'],
    payload: JSON.parse(payload) as Decoded['payload'],
  };
}

/** The token with changed members (undefined removes one), signed again. */
export function altered(
  token: string | undefined,
  { header = {}, payload = {} }: { header?: object; payload?: object },
  signer: Signer,
): string {
  const original = decoded(token);
  return jws({ ...original.header, ...header }, { ...original.payload, ...payload }, signer);
}
