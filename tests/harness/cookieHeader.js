/**
 * The `Cookie` header of these tokens; '' without tokens.
 *
 * @param {{ access?: string | undefined, refresh?: string | undefined }} tokens
 */
function cookieHeader({ access, refresh }) {
  return [access && `access_token=${access}`, refresh && `refresh_token=${refresh}`]
    .filter(Boolean)
    .join('; ');
}

module.exports = { cookieHeader };
