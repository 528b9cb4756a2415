import { parseArgs } from 'node:util';

/**
 * The options of the command line, each of the type of its default.
 * @template {Record<string, string | number | boolean>} T
 * @param {T} defaults
 * @returns {T}
 */
export function optionsOf(defaults) {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: /** @type {'boolean' | 'string'} */ (value === false ? 'boolean' : 'string') },
    ]),
  );
  let given;
  try {
    given = parseArgs({ options }).values;
  } catch (error) {
    refuse(String(error));
  }
  const read = Object.entries(given).map(([name, text]) => {
    if (typeof defaults[name] !== 'number') return [name, text];
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
