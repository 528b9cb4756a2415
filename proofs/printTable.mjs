/**
 * Prints a table in Markdown.
 *
 * @param {string[]} names of the columns
 * @param {(string | number)[][]} rows
 */
export function printTable(names, rows) {
  const lines = [names, ...rows.map((row) => row.map(String))];
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const format = (/** @type {string[]} */ line) =>
    `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  const [head = [], ...body] = lines;
  const rule = widths.map((width) => '-'.repeat(width));
  process.stdout.write([head, rule, ...body].map(format).join(''));
}
