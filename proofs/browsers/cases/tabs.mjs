import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSignedIn, isSignedOut, PASSWORD, Visitor } from '../Visitor.mjs';
import { plain } from '../world.mjs';

const REFRESH = 'POST /auth/refresh';

/** @param {Visitor} visitor */
const reloadAll = (visitor) => Promise.all(visitor.tabs.map((tab) => tab.reload()));

for (const count of [2, 5]) {
  test(`${count} tabs whose access token has expired`, async (t) => {
    const ada = await Visitor.signedIn();
    t.after(() => ada.leave());
    const [first] = await ada.openMany(count);

    await t.test('they load at once: one refresh, and all stay signed in', async () => {
      for (let round = 0; round < 2; round += 1) {
        await ada.expireAccessToken();
        plain.auth.reset();
        await reloadAll(ada);
        await Promise.all(ada.tabs.map(isSignedIn));
        assert.equal(plain.auth.count(REFRESH), 1);
      }
    });

    await t.test('open pages ask at once: one refresh, which the panel shows', async () => {
      plain.auth.reset();
      await first?.getByRole('button', { name: 'Expire the access token' }).click();
      for (const tab of ada.tabs) {
        await tab.getByText(new RegExp(`^${count} tabs, .*, 1 refresh$`)).waitFor();
        await isSignedIn(tab);
      }
      assert.equal(plain.auth.count(REFRESH), 1);
    });
  });

  test(`${count} tabs without Web Locks: the service lets all of them refresh`, async (t) => {
    const ada = await Visitor.signedIn();
    t.after(() => ada.leave());
    await ada.context.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }),
    );
    await ada.openMany(count);
    await ada.expireAccessToken();
    // All of them must be on their way with the same token before one of them gets through.
    plain.auth.reset();
    let release = () => {};
    const until = new Promise((resolve) => (release = () => resolve(undefined)));
    plain.auth.next(REFRESH, ...Array.from({ length: count }, () => ({ until })));
    const reloaded = reloadAll(ada);
    await plain.auth.waiting(count);
    release();
    await reloaded;
    await Promise.all(ada.tabs.map(isSignedIn));
    assert.equal(plain.auth.count(REFRESH), count);
  });
}

test('a tab that sleeps past the end of its access token wakes up signed in', async (t) => {
  const ada = await Visitor.signedIn();
  t.after(() => ada.leave());
  const [sleeper, other] = await ada.openMany(2);
  assert.ok(sleeper && other);
  const devtools = await ada.context.newCDPSession(sleeper);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  // The browser drops the cookie at its end.
  await ada.context.clearCookies({ name: 'access_token' });
  await other.reload();
  await isSignedIn(other);
  await ada.context.clearCookies({ name: 'access_token' });
  plain.auth.reset();
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await sleeper.getByRole('link', { name: 'Sessions' }).click();
  await sleeper.getByText('This device').waitFor();
  assert.equal(plain.auth.count(REFRESH), 1);
});

test('a logout reaches all tabs, and so does the login of another user', async (t) => {
  const ada = await Visitor.signedIn();
  t.after(() => ada.leave());
  const [first, second] = await ada.openMany(2);
  assert.ok(first && second);
  await first.getByRole('banner').getByRole('button', { name: 'Log out' }).click();
  await Promise.all([first, second].map(isSignedOut));

  const grace = await Visitor.signedIn();
  await grace.leave();
  await second.getByLabel('E-mail').fill(grace.email);
  await second.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await second.getByRole('main').getByRole('button', { name: 'Log in' }).click();
  for (const tab of [first, second]) {
    await isSignedIn(tab);
    await tab.getByText(grace.email).waitFor();
  }
});
