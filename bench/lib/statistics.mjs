/** @param {readonly number[]} values */
const ascending = (values) => [...values].sort((a, b) => a - b);

/**
 * The value below which this part of the values lies (nearest rank); NaN without values.
 * @param {readonly number[]} sorted in ascending order
 * @param {number} part from 0 to 1
 */
function quantile(sorted, part) {
  if (sorted.length === 0) return NaN;
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = ascending(values);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The figures of one run.
 * @typedef {object} Summary
 * @property {number} requests
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} p50 milliseconds, as the two below
 * @property {number} p99
 * @property {number} max
 *
 * @param {readonly number[]} latencies in milliseconds
 * @param {number} seconds
 * @returns {Summary}
 */
export function summary(latencies, seconds) {
  const sorted = ascending(latencies);
  return {
    requests: sorted.length,
    seconds,
    perSecond: sorted.length / seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    max: sorted.at(-1) ?? NaN,
  };
}

/**
 * Compares two series that were measured in alternation, by the ratio in each round: what slows down the
 * machine for a while affects both sides.
 * @param {readonly number[]} ours a value a round
 * @param {readonly number[]} theirs
 */
export function pairedRatio(ours, theirs) {
  const ratios = ours.map((value, round) => value / theirs[round]);
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/**
 * The slope of the least-squares line through points.
 * @param {readonly { x: number, y: number }[]} points
 */
export function slope(points) {
  const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b) / values.length;
  const x = mean(points.map((point) => point.x));
  const y = mean(points.map((point) => point.y));
  const covariance = points.map((point) => (point.x - x) * (point.y - y));
  const variance = points.map((point) => (point.x - x) ** 2);
  return mean(covariance) / mean(variance);
}
