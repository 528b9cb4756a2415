import { isProblem, type Problem } from '../errors/problems';

interface Verified<Claims> {
  claims: Claims[];
  /** Why none of the tokens verifies; undefined if one does, or if there is none. */
  refusal: Problem | undefined;
}

/**
 * The claims of those tokens that verify. The others count as absent: an old or a planted cookie may
 * have come with the right one.
 */
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
      // A session that was ours tells more than a token that never was.
      if (refusal?.code !== 'expired-token') refusal = error;
    }
  }
  return { claims, refusal: claims.length > 0 ? undefined : refusal };
}
