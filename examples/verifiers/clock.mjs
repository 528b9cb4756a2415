/** A clock for this process that a test moves: Date and performance.now() follow it, timers do not. */
const RealDate = globalThis.Date;
const realNow = performance.now.bind(performance);
let shift = 0;

globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + shift);
    else super(...args);
  }

  static now() {
    return RealDate.now() + shift;
  }
};
// lru-cache, which jwks-rsa keeps its keys in, goes by this one.
performance.now = () => realNow() + shift;

/** @param {number} seconds */
export function advance(seconds) {
  shift += seconds * 1000;
}
