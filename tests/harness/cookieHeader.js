/**
 * The `Cookie` header of these tokens; '' of none.
 *
 * @param {{ access?: string | undefined, refresh?: string | undefined }} tokens
 */
function cookieHeader({ access, refresh }) {
  return [access && `access_token=${access}`, refresh && `refresh_token=${refresh}`]
    .filter(Boolean)
    .join('; ');
}

module.exports = { cookieHeader };
