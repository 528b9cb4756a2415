/** A movable clock for this process: Date and performance.now() follow it, timers do not. */
const realNow = { date: Date.now, performance: performance.now.bind(performance) };
let shift = 0;
const now = () => realNow.date() + shift;

globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
// lru-cache, in which jwks-rsa stores its keys, uses this one.
performance.now = () => realNow.performance() + shift;

/** @param {number} seconds */
export function advance(seconds) {
  shift += seconds * 1000;
}
