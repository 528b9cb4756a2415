import type http from 'node:http';
import type { AuthClient } from '../../client/src/index';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { startService, type TestService } from '../support/service';
import { listen } from './listen';
import { memoryLocks } from './memoryLocks';
import { Profile } from './Profile';

const REFRESH = 'POST /auth/refresh';

type Locks = ReturnType<typeof memoryLocks>;

const original = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
const nodeLocks = (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks;
const setLocks = (locks: Locks | undefined) =>
  Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });

/** A page that shows whom it believes to be signed in. */
class Page {
  readonly events: string[] = [];
  private readonly stops: (() => void)[];

  constructor(readonly client: AuthClient) {
    this.stops = [
      client.onSignedIn(({ userId }) => this.events.push(`in ${userId}`)),
      client.onSignedOut(() => this.events.push('out')),
    ];
  }

  close(): void {
    for (const stop of this.stops) stop();
  }
}

let service: TestService;
let server: Awaited<ReturnType<typeof listen>>;
let profile: Profile;
let pages: Page[];

beforeAll(async () => {
  service = await startService();
  server = await listen(service.app as http.RequestListener);
});
afterAll(async () => {
  server.stop();
  await service.stop();
  if (original) Object.defineProperty(globalThis, 'navigator', original);
  else Reflect.deleteProperty(globalThis, 'navigator');
});
beforeEach(() => {
  profile = new Profile(`http://127.0.0.1:${server.port}`);
  pages = [];
});
afterEach(() => {
  for (const page of pages) page.close();
});

const open = (options?: Parameters<Profile['tab']>[0]) => {
  const page = new Page(profile.tab(options));
  pages.push(page);
  return page;
};
const self = ({ client }: Page) => client.fetch(`${profile.baseUrl}/auth/self`);
const isRefresh = (request: Request) => request.url.endsWith('/refresh');

/** The name of the lock and of the channel. */
const nameOf = ({ baseUrl }: Profile) => `auth-service-client ${baseUrl}`;

/** What another tab tells. */
function announce(message: object): void {
  const channel = new BroadcastChannel(nameOf(profile));
  channel.postMessage(message);
  channel.close();
}

/** Holds the requests that match until it is told to let them pass. */
function hold(matches: (request: Request) => boolean): () => void {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  profile.network = async (request, pass) => {
    if (matches(request)) await held;
    return pass();
  };
  return release;
}

/** Signed-in tabs, each of which knows its user, and whose access token is gone. */
async function signedInTabs(count: number) {
  const tabs = Array.from({ length: count }, () => open());
  const { userId } = (await tabs[0]?.client.register(aUser())) ?? {};
  for (const { client } of tabs) await client.self();
  await until(() => tabs.every(({ events }) => events.length === 1), 'the first sign-in');
  for (const { events } of tabs) events.length = 0;
  profile.dropAccessToken();
  profile.requests = [];
  return { tabs, userId };
}

describe.each([
  { name: 'with Web Locks', locks: nodeLocks ?? memoryLocks() },
  { name: 'without Web Locks', locks: undefined },
])('several tabs $name', ({ locks }) => {
  beforeEach(() => {
    setLocks(locks);
  });

  it.each([2, 5])('%i refresh at the same time: all succeed', async (count) => {
    const { tabs } = await signedInTabs(count);
    for (let round = 0; round < 3; round += 1) {
      profile.dropAccessToken();
      const responses = await Promise.all(tabs.map(self));
      expect(responses.map(({ status }) => status)).toEqual(tabs.map(() => 200));
    }
    expect(tabs.flatMap(({ events }) => events)).toEqual([]);
    if (locks) expect(profile.count(REFRESH)).toBe(3);
  });

  it('survive responses that are lost in any of them', async () => {
    const { tabs } = await signedInTabs(3);
    for (let lost = 0; lost < 6; lost += 1) {
      profile.dropAccessToken();
      let sent = 0;
      profile.network = async (request, pass) => {
        const response = await pass();
        if (isRefresh(request) && sent++ <= lost % 3) throw new TypeError('fetch failed');
        return response;
      };
      const outcomes = await Promise.allSettled(tabs.map(self));
      const arrived = outcomes.flatMap((outcome) =>
        outcome.status === 'fulfilled' ? [outcome.value.status] : [],
      );
      expect(arrived.every((status) => status === 200)).toBe(true);
      profile.network = (_request, pass) => pass();
      for (const tab of tabs) expect((await self(tab)).status).toBe(200);
    }
    expect(tabs.flatMap(({ events }) => events)).toEqual([]);
  });

  it('hear of a login and of a logout', async () => {
    const tabs = [open(), open(), open()];
    const user = aUser();
    // A tab without listeners tells the others, too.
    const { userId } = await profile.tab().register(user);
    await until(() => tabs.every(({ events }) => events.length === 1), 'onSignedIn');
    await tabs[1]?.client.logout();
    await until(() => tabs.every(({ events }) => events.length === 2), 'onSignedOut');
    await tabs[2]?.client.login(user);
    await until(() => tabs.every(({ events }) => events.length === 3), 'onSignedIn again');
    for (const { events } of tabs) expect(events).toEqual([`in ${userId}`, 'out', `in ${userId}`]);
  });

  it('hear of it if another device ends the session', async () => {
    const tabs = [open(), open()];
    const user = aUser();
    await tabs[0]?.client.register(user);
    await tabs[1]?.client.self();
    const phone = new Profile(profile.baseUrl.replace('127.0.0.1', 'localhost'));
    const device = phone.tab();
    await device.login(user);
    expect(await device.sessions.endOthers()).toBe(1);
    await expect(tabs[1]?.client.self()).rejects.toMatchObject({ code: 'session-ended' });
    await until(() => tabs.every(({ events }) => events.includes('out')), 'onSignedOut');
  });

  it('do not repeat a request of a user in the name of the next one', async () => {
    const { tabs, userId } = await signedInTabs(2);
    const [one, two] = tabs as [Page, Page];
    // The tab that sleeps hears nothing.
    two.close();
    await one.client.logout();
    const next = await one.client.register(aUser());
    profile.dropAccessToken();
    profile.requests = [];
    const order = await two.client.fetch(`${profile.baseUrl}/auth/self`, { method: 'DELETE' });
    expect(order.status).toBe(401);
    expect(profile.count('DELETE /auth/self')).toBe(1);
    expect(next.userId).not.toBe(userId);
    // From then on it acts for the next one.
    expect((await two.client.self()).id).toBe(next.userId);
  });
});

describe('with Web Locks', () => {
  const locks = nodeLocks ?? memoryLocks();
  beforeEach(() => {
    setLocks(locks);
  });

  /** As a tab that refreshes, until `end` is called. */
  function holdLock() {
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    return { end, ended: locks.request(nameOf(profile), {}, () => held) };
  }

  it('a tab whose turn comes after a refresh does not refresh, even if it heard nothing', async () => {
    const { tabs } = await signedInTabs(3);
    for (const page of tabs) page.close();
    const responses = await Promise.all(tabs.map(self));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(profile.count(REFRESH)).toBe(1);
  });

  it('a tab whose turn comes after a failure refreshes', async () => {
    const { tabs } = await signedInTabs(2);
    let refreshes = 0;
    profile.network = (request, pass) =>
      isRefresh(request) && refreshes++ === 0
        ? Promise.reject(new TypeError('fetch failed'))
        : pass();
    const outcomes = await Promise.allSettled(tabs.map(self));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(refreshes).toBe(2);
  });

  it('a login waits for a refresh, so that the cookies of the earlier user do not return', async () => {
    const { tabs } = await signedInTabs(2);
    const [one, two] = tabs as [Page, Page];
    const release = hold(isRefresh);
    const refreshed = self(one);
    await until(() => profile.count(REFRESH) === 1, 'the refresh');
    const entered = two.client.register(aUser());
    // Without a lock it would be there before this one.
    await profile.fetch(`${profile.baseUrl}/health/live`);
    expect(profile.count('POST /auth/register')).toBe(0);
    release();
    await refreshed;
    const { userId } = await entered;
    expect((await two.client.self()).id).toBe(userId);
  });

  it('a tab refreshes if only the last of its waiting requests needs it', async () => {
    const { tabs, userId } = await signedInTabs(1);
    const [tab] = tabs as [Page];
    let refused = 0;
    profile.network = async (_request, pass) => {
      const response = await pass();
      if (response.status === 401) refused += 1;
      return response;
    };
    const { end, ended } = holdLock();
    const first = self(tab);
    await until(() => refused === 1, 'the first 401');
    announce({ userId, isLogin: true, at: Date.now() });
    await until(() => tab.events.length === 1, 'the news of a renewal');
    const last = self(tab);
    await until(() => refused === 2, 'the second 401');
    // By now the last one waits, too.
    await profile.fetch(`${profile.baseUrl}/health/live`);
    end();
    await ended;
    expect(await Promise.all([first, last])).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it('a tab does not wait for longer than the timeout for one that hangs', async () => {
    await signedInTabs(1);
    const impatient = open({ timeout: 100 });
    const { end, ended } = holdLock();
    expect((await self(impatient)).status).toBe(200);
    end();
    await ended;
  });

  it('passes an error of the request on', async () => {
    const { tabs } = await signedInTabs(1);
    profile.network = () => Promise.reject(new TypeError('fetch failed'));
    await expect(tabs[0]?.client.login(aUser())).rejects.toThrow('fetch failed');
  });

  it('works if the browser denies locks to the page', async () => {
    setLocks({ request: () => Promise.reject(new DOMException('no', 'SecurityError')) });
    const { tabs } = await signedInTabs(1);
    expect(await Promise.all(tabs.map(self))).toMatchObject([{ status: 200 }]);
  });
});

describe('a tab that slept', () => {
  it('refreshes although it has just received an old message of another tab', async () => {
    setLocks(undefined);
    const { tabs, userId } = await signedInTabs(1);
    const [tab] = tabs as [Page];
    const release = hold((request) => request.url.endsWith('/self'));
    const response = self(tab);
    announce({ userId, isLogin: true, at: Date.now() - 3_600_000 });
    await until(() => tab.events.length === 1, 'the message');
    release();
    expect((await response).status).toBe(200);
    expect(profile.count(REFRESH)).toBe(1);
  });
});

describe('a client on a server', () => {
  it('keeps nothing open, so that the process can end', async () => {
    setLocks(undefined);
    const open = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort');
    const before = open();
    const client = profile.tab();
    await client.register(aUser());
    await client.logout();
    client.onSignedOut(() => undefined)();
    expect(open()).toEqual(before);
  });
});

describe('without BroadcastChannel', () => {
  it('a tab still learns of the end of the session, of a login and of another user', async () => {
    setLocks(undefined);
    const { BroadcastChannel } = globalThis;
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
    try {
      const user = aUser();
      const [one, two] = [open(), open()];
      const first = await one.client.register(user);
      await two.client.self();
      await one.client.logout();
      await expect(two.client.self()).rejects.toMatchObject({ status: 401 });
      await one.client.login(user);
      await two.client.self();
      const second = await one.client.register(aUser());
      profile.dropAccessToken();
      await two.client.self().catch(() => undefined);
      expect(two.events).toEqual(['out', `in ${first.userId}`, `in ${second.userId}`]);
    } finally {
      globalThis.BroadcastChannel = BroadcastChannel;
    }
  });
});
