import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from '../harness/root';

/** What a front end would write. */
const CONSUMER = `
import type { components, operations, paths } from './api';

export const registration: paths['/auth/register']['post']['requestBody']['content']['application/json'] =
  { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.com', password: 'correct horse' };

type Session = components['schemas']['Session'];
export const place = ({ ipAddress, userAgent }: Session): string => ipAddress ?? userAgent ?? '';

type Refused = operations['login']['responses'][429];
export const patience = ({ headers }: Refused): string => headers['Retry-After'];

type Problem = operations['refresh']['responses'][401]['content']['application/problem+json'];
export const isOver = ({ type }: Problem): boolean =>
  type === 'urn:auth-service:problem:session-ended';

// @ts-expect-error -- a refresh cannot fail in this way
export const isTaken = ({ type }: Problem) => type === 'urn:auth-service:problem:email-taken';

// @ts-expect-error -- the scope is none of those
export const scope: NonNullable<operations['logout']['parameters']['query']>['scope'] = 'none';
`;

describe('the types that openapi-typescript generates', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'auth-service-types-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('compile in strict mode, and fit what a client writes', () => {
    const types = path.join(folder, 'api.ts');
    const consumer = path.join(folder, 'consumer.ts');
    writeFileSync(consumer, CONSUMER);
    const run = (file: string, ...args: string[]) =>
      execFileSync(process.execPath, [path.join(ROOT, 'node_modules', file), ...args], {
        // Away from the project's tsconfig.json.
        cwd: folder,
        encoding: 'utf8',
      });
    run('openapi-typescript/bin/cli.js', path.join(ROOT, 'openapi.yaml'), '--output', types);
    const strict = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'];
    const options = [...strict, '--noEmit', '--skipLibCheck'];
    expect(run('typescript/bin/tsc', ...options, types, consumer)).toBe('');
  }, 120_000);
});
