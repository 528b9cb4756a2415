// Breaks one condition of the session statements at a time, in a copy of the tree, and expects that the
// named specs fail: the table in docs/adr/0003-session-model.md. Run it after a change of the statements
// or their specs: `npm run proof:mutations`, or with a part of a name for some of them.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mutations } from './mutations/mutations.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const COPIED = [
  ...['src', 'tests', 'scripts', 'package.json', 'tsconfig.json', 'jest.config.js'],
  ...['tsconfig.build.json', 'docs', '.env.example', '.nvmrc'],
];

const [only = ''] = process.argv.slice(2);
const chosen = mutations.filter(({ change }) => change.includes(only));
const copy = mkdtempSync(path.join(tmpdir(), 'mutations-'));

const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

/** @param {readonly string[]} specs */
const test = (specs) =>
  spawnSync(
    process.execPath,
    [
      path.join(ROOT, 'node_modules/jest/bin/jest.js'),
      ...['--watchAll=false', '--bail', '--silent', '--coverage=false', '--maxWorkers=1'],
      ...specs.map((spec) => `tests/sessions/${spec}.spec.ts`),
    ],
    { cwd: copy, encoding: 'utf8' },
  );

/** @param {(typeof mutations)[number]} mutation */
function isCaught({ file, from, to, red }) {
  const target = path.join(copy, 'src', file);
  const original = readFileSync(target, 'utf8');
  if (original.split(from).length !== 2) throw new Error(`not found once in ${file}: ${from}`);
  writeFileSync(
    target,
    original.replace(from, () => to),
  );
  try {
    const { status, stderr } = test(red);
    // A statement that PostgreSQL cannot parse is no proof.
    if (/syntax error|does not exist|Cannot find module|TS\d{4}/.test(stderr)) {
      process.stderr.write(stderr.slice(0, 2_000));
      return false;
    }
    return status !== 0;
  } finally {
    writeFileSync(target, original);
  }
}

let survivors = 0;
try {
  for (const name of COPIED)
    cpSync(path.join(ROOT, name), path.join(copy, name), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  const specs = [...new Set(chosen.flatMap(({ red }) => red))];
  const unchanged = test(specs);
  if (unchanged.status !== 0) throw new Error(`red without a mutation:\n${unchanged.stderr}`);
  for (const mutation of chosen) {
    const caught = isCaught(mutation);
    if (!caught) survivors += 1;
    say(`${caught ? 'caught' : 'SURVIVED'}: ${mutation.change} (${mutation.red.join(', ')})`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
say(`${chosen.length - survivors} passed, ${survivors} failed`);
process.exitCode = survivors === 0 && chosen.length > 0 ? 0 : 1;
