import type { Step } from './Step';

/** Steps with a longer pause between them do not belong together. */
const PAUSE_MS = 1_500;

/** The most recent steps that follow each other closely, in the order in which they began. */
export function lastBurst(steps: readonly Step[]): Step[] {
  const sorted = [...steps].sort((a, b) => a.start - b.start);
  let first = sorted.length - 1;
  while (first > 0 && (sorted[first]?.start ?? 0) - (sorted[first - 1]?.end ?? 0) < PAUSE_MS)
    first -= 1;
  return sorted.slice(Math.max(first, 0));
}
