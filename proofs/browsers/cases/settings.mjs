import assert from 'node:assert/strict';
import { test } from 'node:test';
import { button, isSignedIn, isSignedOut, PASSWORD, Visitor } from '../Visitor.mjs';
import { secure } from '../world.mjs';

/** @param {Visitor} visitor */
const cookies = async (visitor) =>
  (await visitor.context.cookies())
    .map(({ name, path, secure, httpOnly, sameSite }) =>
      [name, path, secure && 'Secure', httpOnly && 'HttpOnly', sameSite].join(' '),
    )
    .sort();
const FLAGS = 'Secure HttpOnly Strict';

test('https behind a TLS terminator, and changes of the cookie settings', async (t) => {
  const ada = await Visitor.arrive({ stack: secure });
  const page = await ada.open('register');
  t.after(() => ada.leave());

  await t.test('both cookies are Secure and SameSite=Strict', async () => {
    await page.getByLabel('First name').fill('Ada');
    await page.getByLabel('Last name').fill('Lovelace');
    await page.getByLabel('E-mail').fill(ada.email);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button(page, 'Create the account').click();
    await isSignedIn(page);
    assert.deepEqual(await cookies(ada), [`access_token / ${FLAGS}`, `refresh_token / ${FLAGS}`]);
  });

  /** @param {string} name */
  async function expire(name = 'access_token') {
    await ada.context.clearCookies({ name });
    await page.reload();
  }

  await t.test('REFRESH_COOKIE_PATH changes twice: signed in, without old cookies', async () => {
    await secure.restart({ REFRESH_COOKIE_PATH: '/auth' });
    await page.reload();
    await isSignedIn(page);
    await expire();
    await isSignedIn(page);
    assert.deepEqual(await cookies(ada), [
      `access_token / ${FLAGS}`,
      `refresh_token /auth ${FLAGS}`,
    ]);
    await secure.restart({ REFRESH_COOKIE_PATH: '/' });
    await expire();
    await isSignedIn(page);
    // The service does not know the earlier path any more, so its cookie stays in the jar.
    const refreshTokens = (await cookies(ada)).filter((one) => one.startsWith('refresh_token'));
    assert.deepEqual(refreshTokens, [`refresh_token / ${FLAGS}`, `refresh_token /auth ${FLAGS}`]);
    await expire();
    await isSignedIn(page);
  });

  await t.test('COOKIE_PREFIX changes: one login, and old cookies do no harm', async () => {
    await secure.restart({ COOKIE_PREFIX: '__Host-' });
    await page.reload();
    await isSignedOut(page);
    await page.getByLabel('E-mail').fill(ada.email);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button(page, 'Log in').click();
    await isSignedIn(page);
    for (let round = 0; round < 2; round += 1) {
      await expire('__Host-access_token');
      await isSignedIn(page);
    }
    assert.ok((await cookies(ada)).includes(`__Host-refresh_token / ${FLAGS}`));
  });

  await t.test('COOKIE_PREFIX changes back: the session of the old cookies goes on', async () => {
    await secure.restart({});
    await page.reload();
    await isSignedIn(page);
  });
});
