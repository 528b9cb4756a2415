/** In milliseconds: within it every request is answered or refused. */
const LIMIT = 5_000;

/** How requests ended. */
export class Tally {
  requests = 0;
  succeeded = 0;
  unavailable = 0;
  slowest = 0;
  #slowestWhat = '';
  /** @type {Map<string, number>} what else happened, and how often */
  other = new Map();

  /**
   * @param {string} what method and route
   * @param {number} status 0: no response
   * @param {number} milliseconds
   * @param {string} detail
   */
  add(what, status, milliseconds, detail) {
    this.requests += 1;
    if (milliseconds > this.slowest) {
      this.slowest = milliseconds;
      this.#slowestWhat = `${what}: ${status}`;
    }
    if (status >= 200 && status < 300) this.succeeded += 1;
    else if (status === 503) this.unavailable += 1;
    else {
      const key = `${what}: ${status} ${detail}`;
      this.other.set(key, (this.other.get(key) ?? 0) + 1);
    }
  }

  get others() {
    return [...this.other.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What every service owes its clients, where it was broken. */
  get complaints() {
    return [
      ...[...this.other].map(([what, count]) => `${count} × ${what}`),
      ...(this.slowest > LIMIT ? [`${Math.round(this.slowest)} ms for ${this.#slowestWhat}`] : []),
    ];
  }
}
