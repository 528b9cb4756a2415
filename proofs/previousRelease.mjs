/**
 * Migrations expand first and contract later: the HTTP specs of the previous release pass on the schema
 * of this version. Needs `npm run build`. Exit code 1 if one fails.
 *
 *   npm run proof:previous-release
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { checkOutPrevious } from './release/checkOutPrevious.mjs';

/** Registration, login, sessions and the account. */
const SPECS = ['tests/auth', 'tests/sessions'];
/** Minutes, and nothing of the schema that the others lack. */
const SLOW = ['model', 'plans', 'races', 'secretRotation'].map((name) => `sessions/${name}.spec`);

const { name, folder } = checkOutPrevious();
process.stdout.write(`specs of ${name} on the schema of this version\n`);
const { status } = spawnSync(
  process.execPath,
  [
    ...['node_modules/jest/bin/jest.js', '--watchAll=false', '--coverage=false'],
    ...['--globalSetup', path.join(import.meta.dirname, 'release/globalSetup.js')],
    ...SLOW.flatMap((spec) => ['--testPathIgnorePatterns', spec]),
    ...['--testPathPatterns', ...SPECS],
  ],
  { cwd: folder, stdio: 'inherit' },
);
process.exit(status === 0 ? 0 : 1);
