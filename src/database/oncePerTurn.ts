import DataLoader from 'dataloader';

/** How many requests share a statement at the most. */
const MAX_SHARERS = 100;

/**
 * Lets the requests that arrive in one turn of the event loop share one statement: under load that
 * saves half of the processor time of `GET /auth/self`, here and in PostgreSQL. Nothing is kept.
 *
 * `ask` resolves to an answer for each question, in the same order.
 */
export function oncePerTurn<Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<Answer[]>,
): (question: Question) => Promise<Answer> {
  const loader = new DataLoader(ask, {
    cache: false,
    maxBatchSize: MAX_SHARERS,
    batchScheduleFn: setImmediate,
  });
  return (question) => loader.load(question);
}
