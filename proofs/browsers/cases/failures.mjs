import assert from 'node:assert/strict';
import { test } from 'node:test';
import { button, isSignedIn, isSignedOut, PASSWORD, Visitor } from '../Visitor.mjs';
import { plain } from '../world.mjs';

const REFRESH = 'POST /auth/refresh';
const UNREACHABLE = 'The service cannot be reached.';

/** The headers without which a page could not read the response. */
const readable = {
  'Access-Control-Allow-Origin': plain.app.origin,
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Expose-Headers': 'Retry-After',
};

/** @param {import('node:test').TestContext} t */
async function expired(t) {
  const ada = await Visitor.signedIn();
  t.after(() => ada.leave());
  const page = await ada.open();
  await isSignedIn(page);
  await ada.expireAccessToken();
  plain.auth.reset();
  return { ada, page };
}

/** Both cookies are still there. @param {Visitor} visitor */
async function keepsCookies(visitor) {
  assert.ok(await visitor.cookie('access_token'));
  assert.ok(await visitor.cookie('refresh_token'));
}

test('the response to a refresh is lost: the next attempt succeeds with the old token', async (t) => {
  const { ada, page } = await expired(t);
  const before = (await ada.cookie('refresh_token'))?.value;
  plain.auth.next(REFRESH, { cut: true });
  await page.reload();
  await page.getByText(UNREACHABLE).waitFor();
  assert.equal((await ada.cookie('refresh_token'))?.value, before);
  assert.deepEqual(
    plain.auth.passed.filter(({ route }) => route === REFRESH),
    [{ route: REFRESH, status: 200 }],
  );
  await button(page, 'Try again').click();
  await isSignedIn(page);
});

test('the response to a request is lost: the session goes on', async (t) => {
  const { page } = await expired(t);
  plain.auth.next('GET /auth/sessions', {}, { cut: true });
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByText(UNREACHABLE).waitFor();
  await button(page, 'Try again').click();
  await page.getByText('This device').waitFor();
});

test('the response to a login is lost: it works when it is sent again', async (t) => {
  const ada = await Visitor.signedIn();
  t.after(() => ada.leave());
  await ada.context.clearCookies();
  const page = await ada.open('login');
  plain.auth.next('POST /auth/login', { cut: true });
  await page.getByLabel('E-mail').fill(ada.email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await button(page, 'Log in').click();
  await page.getByText(UNREACHABLE).waitFor();
  await button(page, 'Log in').click();
  await isSignedIn(page);
});

test('the response to a logout is lost: a second logout ends in the login form', async (t) => {
  const ada = await Visitor.signedIn();
  t.after(() => ada.leave());
  const page = await ada.open('security');
  plain.auth.next('POST /auth/logout', { cut: true });
  await button(page, 'On this device').click();
  await page.getByText(UNREACHABLE).waitFor();
  await button(page, 'On this device').click();
  await isSignedOut(page);
});

for (const status of [503, 429]) {
  test(`${status} from the refresh: a problem in words, and no logout`, async (t) => {
    const { ada, page } = await expired(t);
    plain.auth.next(REFRESH, { respond: { status, headers: { ...readable, 'Retry-After': '1' } } });
    await page.reload();
    await page.getByText(/Try again in 1 s/).waitFor();
    await keepsCookies(ada);
    // Before the second is over the client answers itself; after it, the service does.
    await page.waitForFunction(() => {
      const again = [...document.querySelectorAll('main button')].find(
        (one) => one.textContent === 'Try again',
      );
      if (again instanceof HTMLElement) again.click();
      return document.querySelector('h1')?.textContent === 'Hello, Ada';
    });
  });

  test(`${status} from a route: a problem in words, and no logout`, async (t) => {
    const { ada, page } = await expired(t);
    plain.auth.next('GET /auth/sessions', { respond: { status, headers: readable } });
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('alert').filter({ hasText: 'Try again in a moment' }).waitFor();
    await keepsCookies(ada);
    await button(page, 'Try again').click();
    await page.getByText('This device').waitFor();
  });
}

test('401 and 502 of a proxy, and no network: no logout', async (t) => {
  const { ada, page } = await expired(t);
  for (const respond of [{ status: 401, headers: readable }, { status: 401 }, { status: 502 }]) {
    plain.auth.next(REFRESH, { respond });
    await page.reload();
    await page.getByRole('alert').waitFor();
    await keepsCookies(ada);
  }
  await ada.context.setOffline(true);
  await button(page, 'Try again').click();
  await page.getByText(UNREACHABLE).waitFor();
  await ada.context.setOffline(false);
  await button(page, 'Try again').click();
  await isSignedIn(page);
});
