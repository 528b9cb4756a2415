/**
 * @typedef {object} Cookie
 * @property {string} value
 * @property {Record<string, string>} attributes lower-case names; a flag's value is ''
 */

/**
 * The cookies that a response sets, by name.
 *
 * @param {readonly string[]} lines its Set-Cookie headers
 * @returns {Record<string, Cookie>}
 */
function cookiesOf(lines) {
  return Object.fromEntries(lines.map(nameAndCookie));
}

/**
 * @param {string} line
 * @returns {[name: string, cookie: Cookie]}
 */
function nameAndCookie(line) {
  const [pair = '', ...rest] = line.split('; ');
  const [name, value] = pairOf(pair);
  const attributes = rest.map(pairOf).map(([key, text]) => [key.toLowerCase(), text]);
  return [name, { value, attributes: Object.fromEntries(attributes) }];
}

/**
 * @param {string} text
 * @returns {[name: string, value: string]}
 */
function pairOf(text) {
  const [name = '', ...rest] = text.split('=');
  return [name, rest.join('=')];
}

module.exports = { cookiesOf };
