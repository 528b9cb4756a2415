import { isNativeError } from 'node:util/types';

/**
 * What a log may hold of an error: its kind, and where in our own code it came up. Messages and stacks
 * of the libraries tell statements, values and hosts.
 */
export function originOf(error: unknown): { cause?: string; where?: string | undefined } {
  if (!isNativeError(error)) return {};
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  const frame = /\b(?:src|dist)\/([\w/.-]+:\d+)/.exec(error.stack ?? '');
  return { cause: `${error.name}${code}`, where: frame?.[1] };
}
