import { isNativeError } from 'node:util/types';

const OWN = /\b(?:src|dist)\/([\w/.-]+:\d+)/;

/** What a log may contain of an error; messages and stacks may reveal statements, values and hosts. */
export function originOf(error: unknown): { cause?: string; where?: string | undefined } {
  if (!isNativeError(error)) return {};
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  const own = error.stack
    ?.split('\n')
    .find((line) => !line.includes('node_modules') && OWN.test(line));
  return { cause: `${error.name}${code}`, where: OWN.exec(own ?? '')?.[1] };
}
