import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import fc from 'fast-check';
import { cookieHeader } from '../harness/cookieHeader';
import { aUser, clientOf } from '../support/client';
import { startService, type TestService } from '../support/service';
import { aBurst, type Burst } from './histories';
import { SessionModel, type Verdict } from './SessionModel';

const WINDOW = 10;
const lifetimesFor = (window: number) => ({ window, sliding: 30 * 86_400, absolute: 90 * 86_400 });
const ACCESS_LIFETIME = 3_600;
/** The number of histories of each kind; MODEL_RUNS sets more. */
const RUNS = Number(process.env.MODEL_RUNS ?? 60);

/** A session of the real service and its model, on one frozen clock. */
class Session {
  /** The real tokens, by their number in the model. */
  private readonly tokens: string[];
  private readonly model: SessionModel;
  private accessIssuedAt: number;
  readonly sessionId: string;

  constructor(
    private readonly world: World,
    private access: string,
    first: string,
  ) {
    this.tokens = [first];
    this.accessIssuedAt = world.now;
    this.model = new SessionModel(world.now, lifetimesFor(world.window));
    const claims = JSON.parse(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString()) as {
      sid: string;
    };
    this.sessionId = claims.sid;
  }

  get tokenCount(): number {
    return this.tokens.length;
  }

  /** Presents a token to both, compares the results, and returns the number of the token in the response. */
  async present(token: number): Promise<{ verdict: Verdict; token?: number }> {
    const verdict = this.model.present(token, this.world.now);
    const response = await this.world.refresh(this.tokens[token] ?? '');
    const accepted = ['rotate', 'replay', 'recover'].includes(verdict);

    expect({ verdict, status: response.status }).toEqual({ verdict, status: accepted ? 200 : 401 });
    expect(response.cleared).toBe(!accepted);
    expect(await this.liveRows()).toBe(this.model.ended ? 0 : 1);
    if (!accepted) return { verdict };

    const live = this.model.liveToken;
    if (verdict === 'replay') expect(response.refresh).toBe(this.tokens[live]);
    else expect(this.tokens).not.toContain(response.refresh);
    this.tokens[live] = response.refresh;
    this.access = response.access;
    this.accessIssuedAt = this.world.now;
    return { verdict, token: live };
  }

  async logout(token: number): Promise<void> {
    const { now } = this.world;
    const valid = now - this.accessIssuedAt < ACCESS_LIFETIME && !this.model.isExpired(token, now);
    const { status } = await this.world.logout(this.access, this.tokens[token] ?? '');
    expect(status).toBe(valid ? 200 : 401);
    if (valid) this.model.end();
  }

  private async liveRows(): Promise<number> {
    const [row] = await this.world.service.dataSource.query<{ count: number }[]>(
      'SELECT count(*)::integer FROM refresh_tokens WHERE session_id = $1 AND expires_at > test_clock.now()',
      [this.sessionId],
    );
    return row?.count ?? 0;
  }
}

/** The real service, over HTTP, and the clock. */
class World {
  now = 0;
  private readonly user = aUser();
  private server!: Server;
  private constructor(
    readonly service: TestService,
    readonly window: number,
  ) {}

  static async start(window = WINDOW): Promise<World> {
    const settings = { REFRESH_REUSE_WINDOW_SECONDS: String(window) };
    const world = new World(await startService(settings), window);
    world.server = createServer(world.service.app).listen(0, '127.0.0.1');
    await clientOf(world.service).register(world.user).expect(201);
    return world;
  }

  async stop(): Promise<void> {
    this.server.close();
    await this.service.stop();
  }

  async wait(seconds: number): Promise<void> {
    this.now += seconds;
    await this.service.freeze(this.now);
  }

  async openSession(): Promise<Session> {
    await this.wait(1);
    const { access, refresh } = await this.post('login', {}, this.user);
    return new Session(this, access, refresh);
  }

  refresh(refresh: string): ReturnType<World['post']> {
    return this.post('refresh', { refresh });
  }

  logout(access: string, refresh: string): ReturnType<World['post']> {
    return this.post('logout', { access, refresh });
  }

  private async post(path: string, tokens: { access?: string; refresh?: string }, body?: object) {
    const { port } = this.server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/auth/${path}`, {
      method: 'POST',
      headers: { Cookie: cookieHeader(tokens), 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    const cookies = response.headers.getSetCookie();
    const value = (name: string) =>
      cookies.find((cookie) => cookie.startsWith(`${name}=`))?.split(/[=;]/)[1] ?? '';
    return {
      status: response.status,
      access: value('access_token'),
      refresh: value('refresh_token'),
      cleared: cookies.length === 2 && value('refresh_token') === '',
    };
  }
}

/** A browser: one jar, any number of tabs. */
class Browser {
  delivered = 0;

  constructor(
    private readonly world: World,
    private readonly session: Session,
    public jar: number,
  ) {}

  /** Plays a burst, and returns the verdicts in order. */
  async live({ quiet, events }: Burst): Promise<Verdict[]> {
    await this.world.wait(quiet);
    const begun = this.world.now;
    const sent = new Map<number, number>();
    const answers = new Map<number, number>();
    const verdicts: Verdict[] = [];
    let delivered = false;
    for (const event of events) {
      if (begun + event.at > this.world.now)
        await this.world.wait(begun + event.at - this.world.now);
      if (event.kind === 'send') sent.set(event.request, this.jar);
      if (event.kind === 'serve') {
        const { verdict, token } = await this.session.present(sent.get(event.request) ?? 0);
        verdicts.push(verdict);
        if (token !== undefined) answers.set(event.answer, token);
      }
      if (event.kind === 'deliver') {
        const token = answers.get(event.answer);
        if (token === undefined) continue;
        this.jar = token;
        delivered = true;
      }
    }
    if (delivered) this.delivered += 1;
    return verdicts;
  }
}

describe('a session over random histories', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.stop());

  const quiet = fc.oneof(
    fc.integer({ min: WINDOW + 1, max: 3 * WINDOW }),
    fc.integer({ min: 3_600, max: 86_400 }),
  );
  const bursts = (max: number) => fc.array(aBurst(WINDOW, quiet), { minLength: 1, maxLength: max });

  describe('when an honest client refreshes in bursts from several tabs', () => {
    it('is never logged out', async () => {
      await fc.assert(
        fc.asyncProperty(bursts(6), async (history) => {
          const session = await world.openSession();
          const browser = new Browser(world, session, 0);
          for (const burst of history) {
            const verdicts = await browser.live(burst);
            expect(verdicts).not.toContain('theft');
            expect(verdicts).not.toContain('ended');
          }
        }),
        { numRuns: RUNS },
      );
    }, 600_000);
  });

  describe('when a thief has a copy of a token', () => {
    it('is found before the slower of the two has refreshed twice', async () => {
      const turn = fc.record({ thief: fc.boolean(), burst: aBurst(WINDOW, quiet) });
      await fc.assert(
        fc.asyncProperty(
          bursts(2),
          fc.array(turn, { minLength: 2, maxLength: 8 }),
          async (before, turns) => {
            const session = await world.openSession();
            const owner = new Browser(world, session, 0);
            for (const burst of before) await owner.live(burst);
            const thief = new Browser(world, session, owner.jar);
            owner.delivered = 0;
            for (const { thief: thiefsTurn, burst } of turns) {
              await (thiefsTurn ? thief : owner).live(burst);
              expect(Math.min(owner.delivered, thief.delivered)).toBeLessThan(2);
            }
          },
        ),
        { numRuns: RUNS },
      );
    }, 600_000);
  });

  describe('when its tokens are presented at any time, and it is logged out or expires', () => {
    it('gives the verdicts of the model and never revives', async () => {
      await followTheModel(world);
    }, 600_000);
  });
});

describe('a session under strict rotation, with a window of 0 seconds', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start(0);
  });
  afterAll(() => world.stop());

  describe('when its tokens are presented at any time, and it is logged out or expires', () => {
    it('gives the verdicts of the model: every replaced token is theft', async () => {
      await followTheModel(world);
    }, 600_000);
  });
});

const act = fc.record({
  wait: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }) },
    { weight: 2, arbitrary: fc.integer({ min: 13, max: 3_600 }) },
    { weight: 1, arbitrary: fc.integer({ min: 20 * 86_400, max: 31 * 86_400 }) },
  ),
  // Counted from the newest, where the verdicts differ.
  back: fc.nat({ max: 4 }),
  logout: fc.nat({ max: 15 }).map((n) => n === 0),
});

async function followTheModel(world: World): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 16 }), async (acts) => {
      const session = await world.openSession();
      for (const { wait, back, logout } of acts) {
        await world.wait(wait);
        const token = Math.max(0, session.tokenCount - 1 - back);
        if (logout) await session.logout(token);
        else await session.present(token);
      }
    }),
    { numRuns: RUNS },
  );
}
