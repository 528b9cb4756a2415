import { setTimeout as sleep } from 'node:timers/promises';
import { Person } from './Person.mjs';
import { Tally } from './Tally.mjs';

/** How many people are active all the time, and the pause between two of their acts, in milliseconds. */
const ACTIVE = 8;
const PAUSE = 120;
/** Between two of them at the start: each one takes a password hash. */
const ARRIVAL_PAUSE = 250;
/** Between two registrations, in milliseconds. */
const REGISTRATION_PAUSE = 800;

/** @typedef {{ origin: string, startedAt: number, endedAt: number }} Write acknowledged, in milliseconds */

/** People who use a service through its origins in turn, and what was acknowledged to them. */
export class Load {
  #origins;
  #turn = 0;
  #isOver = true;
  /** @type {Promise<unknown>[]} */
  #loops = [];
  /** @type {Person[]} all that have an account */
  #people = [];
  tally = new Tally();
  /** @type {Write[]} */
  writes = [];

  /** @param {string[]} origins */
  constructor(origins) {
    this.#origins = origins;
  }

  /** @type {import('./Person.mjs').Send} */
  #send = async (browser, method, route, options) => {
    this.#turn += 1;
    const origin = this.#origins[this.#turn % this.#origins.length] ?? '';
    const startedAt = performance.now();
    const response = await browser.send(origin, method, route, options);
    const endedAt = performance.now();
    const { status, body } = response;
    this.tally.add(`${method} ${route}`, status, endedAt - startedAt, String(body.title));
    if (method === 'POST' && status < 300 && status > 0)
      this.writes.push({ origin, startedAt, endedAt });
    return response;
  };

  /** A new person, when the registration was acknowledged. */
  async #newcomer() {
    const person = new Person(this.#send);
    if (await person.register()) this.#people.push(person);
    return person;
  }

  /** Counts from zero; requests count when they end. */
  beginTally() {
    this.tally = new Tally();
  }

  start() {
    this.beginTally();
    this.writes = [];
    this.#isOver = false;
    this.#loops = [...Array(ACTIVE).keys()].map((i) => this.#live(i * ARRIVAL_PAUSE));
    this.#loops.push(this.#newcomers());
  }

  /** @param {number} delay */
  async #live(delay) {
    await sleep(delay);
    let person = await this.#newcomer();
    while (!this.#isOver) {
      await sleep(PAUSE);
      if (person.userId === undefined) person = await this.#newcomer();
      else await person.act();
    }
    person.leave();
  }

  /** People who register and stay away. */
  async #newcomers() {
    while (!this.#isOver) {
      (await this.#newcomer()).leave();
      await sleep(REGISTRATION_PAUSE);
    }
  }

  async stop() {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  /**
   * When each origin had acknowledged a write again; undefined until all have.
   *
   * @param {number} since
   */
  writesAgain(since) {
    const first = this.#origins.map((origin) =>
      this.writes.find((write) => write.origin === origin && write.startedAt >= since),
    );
    const times = first.map((write) => write?.endedAt ?? Infinity);
    const last = Math.max(...times);
    return Number.isFinite(last) ? last : undefined;
  }

  /** Looks for everything that was acknowledged; resolves to what is missing, in words. */
  async losses() {
    const { tally } = this;
    this.tally = new Tally();
    const lost = [];
    for (const person of this.#people) {
      lost.push(...(await person.losses()));
      person.leave();
    }
    this.tally = tally;
    return lost;
  }
}
