import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Program } from '../../tests/harness/Program.js';
import { UnexpectedAnswer } from './middleware.mjs';

/** The Python that has PyJWT: Debian's, even if another one is first on the path. */
function python() {
  const found = ['/usr/bin/python3', 'python3'].find(
    (command) => spawnSync(command, ['-c', 'import jwt, cryptography']).status === 0,
  );
  if (found) return found;
  throw new Error('no Python with PyJWT: apt-get install python3-jwt python3-cryptography');
}

/**
 * PyJWT, in a Python process that gets one token per line.
 *
 * @param {import('./service.mjs').Settings} settings
 * @returns {import('./middleware.mjs').Verifier}
 */
export function verifyWithPyJwt({ issuer, audience, jwksUri }) {
  const script = path.join(import.meta.dirname, 'pyjwt.py');
  const { stdin, stdout } = new Program(python(), [script, issuer, audience, jwksUri]).child;
  if (!stdin || !stdout) throw new Error('no way to talk to Python');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    verify: async (token) => {
      stdin.write(`${token}\n`);
      const line = String((await lines.next()).value);
      const [, outcome, rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
      if (outcome === 'ok') return rest;
      if (outcome === 'refused') throw new Error(rest);
      throw new UnexpectedAnswer(line);
    },
    stop: () => {
      stdin.end();
    },
  };
}
