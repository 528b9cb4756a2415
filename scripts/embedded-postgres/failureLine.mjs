/**
 * The line in PostgreSQL's output that says why it failed.
 * @param {string} output
 */
export function failureLine(output) {
  const lines = output.trim().split('\n');
  const line = lines.find((one) => /\b(FATAL|PANIC|error):/.test(one)) ?? lines.at(-1) ?? '';
  return line.replace(/^.*?\b(?:FATAL|PANIC|error):\s*/, '') || 'no output';
}
