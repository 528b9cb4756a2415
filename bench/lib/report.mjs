import fs from 'node:fs';
import path from 'node:path';
import { chart } from './chart.mjs';
import { describeMachine, machineLine } from './machine.mjs';
import { median, pairedRatio } from './statistics.mjs';

const RESULTS = path.join(import.meta.dirname, '../results');

/**
 * @typedef {object} WorkResult
 * @property {string} name
 * @property {string} title
 * @property {number} connections
 * @property {{ title: string, kind: string, rounds: Figures[] }[]} entries
 * the service first
 *
 * @typedef {Omit<import('./load.mjs').Measurement, 'clients' | 'failures'> & { failures?: object }} Figures
 *
 * @typedef {ReturnType<typeof summarise>} WorkSummary
 */

/** The targets that one run of the comparison can decide; titles as in contestants.mjs. */
const TARGETS = [
  { work: 'self', against: 'Express + pg SELECT', atLeast: 0.85 },
  { work: 'self', against: 'Better Auth', atLeast: 5 },
  { work: 'refresh', against: 'Express + UPDATE + 2 signatures', atLeast: 0.9 },
  { work: 'refresh', against: 'tutorial service', atLeast: 5 },
  { work: 'login', against: 'bcrypt alone', atLeast: 0.98 },
  { work: 'jwks', against: 'Express alone', atLeast: 1.2 },
];
/** Relative to the ideal queue, in which every request waits only for those before it. */
const LOGIN_P99_LIMIT = 1.3;
const MEMORY_LIMIT_MIB = 110;

/** @param {WorkResult} work */
function summarise({ name, title, connections, entries }) {
  const ours = entries[0].rounds.map((round) => round.perSecond);
  return {
    name,
    title,
    connections,
    entries: entries.map(({ title, kind, rounds }) => {
      const middle = (/** @type {Exclude<keyof Figures, 'failures'>} */ key) =>
        median(rounds.map((round) => round[key]));
      return {
        title,
        kind,
        perSecond: middle('perSecond'),
        p50: middle('p50'),
        p99: middle('p99'),
        cpuMicros: middle('cpuMicros'),
        databaseMicros: middle('databaseMicros'),
        generatorShare: middle('generatorShare'),
        memoryMiB: Math.max(...rounds.map((round) => round.memoryMiB)),
        ratio: pairedRatio(
          ours,
          rounds.map((round) => round.perSecond),
        ),
      };
    }),
  };
}

const number = (/** @type {number} */ value, digits = 0) =>
  Number.isFinite(value)
    ? value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : '–';

/** @param {string[]} head @param {string[][]} rows the first column is text, the others are figures */
export function markdownTable(head, rows) {
  const rule = head.map((_title, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @param {WorkSummary} work */
function workSection({ title, connections, entries }) {
  const rows = entries.map((entry, i) => [
    i === 0 ? `**${entry.title}**` : `${entry.title} (${entry.kind})`,
    number(entry.perSecond, entry.perSecond < 100 ? 1 : 0),
    i === 0
      ? '1.00'
      : `**${number(entry.ratio.median, 2)}** (${number(entry.ratio.min, 2)}–${number(entry.ratio.max, 2)})`,
    number(entry.p50, 1),
    number(entry.p99, 1),
    number(entry.cpuMicros),
    number(entry.databaseMicros),
    number(entry.memoryMiB),
  ]);
  const head = [
    `${title}, ${connections} at a time`,
    'requests/s',
    'auth-service ÷ this',
    'p50 ms',
    'p99 ms',
    'server CPU µs/request',
    'PostgreSQL CPU µs/request',
    'memory MiB',
  ];
  return markdownTable(head, rows);
}

/** @param {WorkSummary[]} works @returns {Target[]} */
function targets(works) {
  const found = (/** @type {string} */ name, /** @type {string} */ title) =>
    works.find((work) => work.name === name)?.entries.find((entry) => entry.title === title);
  const rows = [];
  for (const { work, against, atLeast } of TARGETS) {
    const value = found(work, against)?.ratio.median;
    if (value !== undefined) rows.push({ text: `${work} ÷ ${against}`, atLeast, value });
  }
  const floor = found('login', 'bcrypt alone');
  const login = works.find((work) => work.name === 'login');
  if (floor && login) {
    const value = login.entries[0].p99 / ((login.connections / floor.perSecond) * 1000);
    rows.push({ text: 'login p99 ÷ ideal queue', atMost: LOGIN_P99_LIMIT, value });
  }
  const value = Math.max(...works.map((work) => work.entries[0].memoryMiB));
  return [...rows, { text: 'memory under load, MiB', atMost: MEMORY_LIMIT_MIB, value }];
}

/**
 * A figure and its limits, if any.
 * @typedef {{ text: string, value: number, atMost?: number, atLeast?: number }} Target
 */

/** @param {Target} target */
const isMet = ({ value, atMost = Infinity, atLeast = -Infinity }) =>
  value <= atMost && value >= atLeast;

/** @param {Target} target */
function targetRow(target) {
  const { text, value, atMost, atLeast } = target;
  if (atMost === undefined && atLeast === undefined) return [text, '–', number(value, 2), '–'];
  const limit = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  return [text, limit, number(value, 2), isMet(target) ? 'yes' : 'no'];
}

/** @param {Target[]} targets */
const targetSection = (targets) =>
  markdownTable(['target', 'limit', 'measured', 'met'], targets.map(targetRow));

/**
 * Writes the result of any command of the suite.
 * @param {string} name
 * @param {object} result
 */
function writeJson(name, result) {
  fs.mkdirSync(RESULTS, { recursive: true });
  fs.writeFileSync(path.join(RESULTS, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/**
 * Prints the comparison as Markdown, and writes it to results/ as JSON, as Markdown and as a chart.
 * @param {object} results
 * @param {import('./machine.mjs').Machine} results.machine
 * @param {{ rounds: number, seconds: number }} results.options
 * @param {WorkResult[]} results.works
 * @param {string} name of the files
 */
export function report({ machine, options, works }, name) {
  const summaries = works.map(summarise);
  const figures = targets(summaries);
  const text = [
    machineLine(machine),
    `${options.rounds} rounds of ${options.seconds} s in alternation; medians, ratios within a round (lowest–highest).`,
    ...summaries.map(workSection),
    targetSection(figures),
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  writeJson(name, { machine, options, summaries, targets: figures, works });
  fs.writeFileSync(path.join(RESULTS, `${name}.md`), `${text}\n`);
  fs.writeFileSync(path.join(RESULTS, `${name}.svg`), chart(summaries, machine));
}

/**
 * Prints the figures of another measurement, and writes them to results/ as JSON.
 * @param {import('./workbench.mjs').Workbench} bench
 * @param {string} name of the file
 * @param {object} result everything that was measured
 * @param {Target[]} figures
 * @returns {Promise<boolean>} whether every target was met
 */
export async function conclude(bench, name, result, figures) {
  const machine = await describeMachine(bench);
  const table = figures.length > 0 ? `\n${targetSection(figures)}\n` : '';
  process.stdout.write(`${machineLine(machine)}\n${table}`);
  writeJson(name, { machine, targets: figures, ...result });
  return figures.every(isMet);
}
