import { isProblem, type Problem } from '../errors/problems';

interface Verified<Claims> {
  claims: Claims[];
  /** Why no token verifies; undefined if one does, or if there are none. */
  refusal: Problem | undefined;
}

/** The claims of the tokens that verify. The others count as absent: they may be old or planted. */
export function verifyEach<Claims>(
  tokens: readonly string[],
  verify: (token: string) => Claims,
): Verified<Claims> {
  const claims: Claims[] = [];
  let refusal: Problem | undefined;
  for (const token of tokens) {
    try {
      claims.push(verify(token));
    } catch (error) {
      if (!isProblem(error)) throw error;
      // expired-token clears the cookies, invalid-token does not.
      if (refusal?.code !== 'expired-token') refusal = error;
    }
  }
  return { claims, refusal: claims.length > 0 ? undefined : refusal };
}
