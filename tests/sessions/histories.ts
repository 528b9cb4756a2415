import fc from 'fast-check';

/** The steps of one burst; times in seconds since its beginning. */
export type BurstEvent =
  /** A tab reads the jar and sends a refresh. */
  | { at: number; kind: 'send'; request: number }
  /** The request reaches the service; a doubled one does so twice. */
  | { at: number; kind: 'serve'; request: number; answer: number }
  /** The response reaches the jar. */
  | { at: number; kind: 'deliver'; answer: number };

export interface Burst {
  /** Seconds of quiet before the burst. */
  quiet: number;
  events: BurstEvent[];
}

interface Way {
  back: number;
  lost: boolean;
  there: number;
}

/**
 * A burst of refreshes of several tabs on one jar, shorter than `window` seconds. Responses may be
 * lost, late, doubled and reordered, and so may the requests.
 */
export function aBurst(window: number, quiet: fc.Arbitrary<number>): fc.Arbitrary<Burst> {
  const second = fc.integer({ min: 0, max: window });
  const way = fc.record({
    there: second,
    back: second,
    lost: fc.boolean(),
  });
  const request = fc.record({ sent: second, ways: fc.array(way, { minLength: 1, maxLength: 2 }) });
  return fc
    .record({ quiet, requests: fc.array(request, { minLength: 1, maxLength: 5 }) })
    .map(({ quiet, requests }) => ({ quiet, events: eventsOf(requests) }));
}

function eventsOf(requests: { sent: number; ways: Way[] }[]): BurstEvent[] {
  const events: BurstEvent[] = [];
  let answers = 0;
  requests.forEach(({ sent, ways }, request) => {
    events.push({ at: sent, kind: 'send', request });
    for (const { there, back, lost } of ways) {
      const answer = answers++;
      const served = Math.max(sent, there);
      events.push({ at: served, kind: 'serve', request, answer });
      if (!lost) events.push({ at: Math.max(served, back), kind: 'deliver', answer });
    }
  });
  // A stable sort keeps the order of the steps of one request.
  return events.sort((a, b) => a.at - b.at);
}
