import { parseArgs } from 'node:util';

/**
 * The options of the command line. An option is a number if its default is one.
 * @template {Record<string, string | number>} T
 * @param {T} defaults
 * @returns {T}
 */
export function optionsOf(defaults) {
  const options = Object.fromEntries(
    Object.keys(defaults).map((name) => [name, { type: /** @type {const} */ ('string') }]),
  );
  let given;
  try {
    given = parseArgs({ options }).values;
  } catch (error) {
    refuse(String(error));
  }
  const read = Object.entries(given).map(([name, text]) => {
    if (typeof defaults[name] === 'string') return [name, text];
    const value = Number(text);
    if (!(value > 0)) refuse(`--${name} must be a number above 0`);
    return [name, value];
  });
  return { ...defaults, ...Object.fromEntries(read) };
}

/**
 * Ends the command, because its command line is wrong.
 * @param {string} message
 * @returns {never}
 */
export function refuse(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
