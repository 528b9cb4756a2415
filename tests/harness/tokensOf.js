const { cookiesOf } = require('./cookiesOf');

/**
 * Both tokens that a response sets; '' for a cleared one.
 *
 * @param {readonly string[]} lines its Set-Cookie headers
 */
function tokensOf(lines) {
  const { access_token: access, refresh_token: refresh } = cookiesOf(lines);
  return { access: access?.value, refresh: refresh?.value };
}

module.exports = { tokensOf };
