import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { UnexpectedAnswer } from './middleware.mjs';

/** The Python that has PyJWT: Debian's, where another one comes first on the path. */
function python() {
  const found = ['/usr/bin/python3', 'python3'].find(
    (command) => spawnSync(command, ['-c', 'import jwt, cryptography']).status === 0,
  );
  if (found) return found;
  throw new Error('no Python with PyJWT: apt-get install python3-jwt python3-cryptography');
}

/** PyJWT, in a Python process that is asked token by token. */
export function verifyWithPyJwt({ issuer, audience, jwksUri }) {
  const script = path.join(import.meta.dirname, 'pyjwt.py');
  const child = spawn(python(), [script, issuer, audience, jwksUri], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const verify = async (token) => {
    child.stdin.write(`${token}\n`);
    const { value = 'ended' } = await answers.next();
    const [, outcome, rest] = /^(\w+) ?(.*)$/.exec(value) ?? [];
    if (outcome === 'ok') return rest;
    if (outcome === 'refused') throw new Error(rest);
    throw new UnexpectedAnswer(value);
  };
  verify.stop = () => child.stdin.end();
  return verify;
}
