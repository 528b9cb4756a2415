import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { portOf } from '../../../tests/harness/portOf.js';
import { isSignedIn, isSignedOut, Visitor } from '../Visitor.mjs';
import { plain } from '../world.mjs';

test('scripts see no token', async (t) => {
  const ada = await Visitor.signedIn();
  t.after(() => ada.leave());
  const page = await ada.open();
  await isSignedIn(page);
  const seen = await page.evaluate(async (origin) => {
    const response = await fetch(`${origin}/auth/refresh`, {
      method: 'POST',
      credentials: 'include',
    });
    return JSON.stringify([
      document.cookie,
      { ...localStorage },
      { ...sessionStorage },
      await indexedDB.databases(),
      [...response.headers],
      await response.json(),
    ]);
  }, plain.auth.origin);
  assert.match(seen, /Token refreshed successfully/);
  for (const name of ['access_token', 'refresh_token']) {
    const cookie = await ada.cookie(name);
    assert.ok(cookie);
    assert.deepEqual(
      { httpOnly: cookie.httpOnly, sameSite: cookie.sameSite, domain: cookie.domain },
      { httpOnly: true, sameSite: 'Strict', domain: 'localhost' },
    );
    assert.ok(!seen.includes(cookie.value) && !seen.includes(name));
  }
  assert.doesNotMatch(seen, /eyJ/);
});

test('the back button after a logout shows nothing of the account', async (t) => {
  const ada = await Visitor.signedIn();
  t.after(() => ada.leave());
  const page = await ada.open('profile');
  await page.getByText(ada.email).waitFor();
  const other = await ada.open('profile');
  await other.getByRole('link', { name: 'Security' }).click();
  // The first tab goes elsewhere, so that the browser may keep its page as it was.
  await page.goto(`${plain.auth.origin}/.well-known/jwks.json`);
  await other.getByRole('banner').getByRole('button', { name: 'Log out' }).click();
  await isSignedOut(other);
  await page.goBack();
  await isSignedOut(page);
  assert.equal(await page.getByText(ada.email).count(), 0);
  await other.goBack();
  await isSignedOut(other);
});

test('the back button after the end of the session from another device shows nothing of it', async (t) => {
  const ada = await Visitor.signedIn();
  const phone = await Visitor.signedIn({ email: ada.email });
  t.after(() => Promise.all([ada.leave(), phone.leave()]));
  const page = await ada.open();
  await page.getByText(ada.email).waitFor();
  await page.goto(`${plain.auth.origin}/.well-known/jwks.json`);
  await phone.context.request.delete(`${plain.auth.origin}/auth/sessions`);
  // A page that is restored as it was does not load again.
  await page.goBack({ waitUntil: 'commit' });
  await isSignedOut(page);
  assert.equal(await page.getByText(ada.email).count(), 0);
});

/** The first one is of the same site, so its requests carry the cookies. The second one is another site. */
for (const host of ['localhost', '127.0.0.1']) {
  test(`a page of a foreign origin on ${host} can neither read, refresh nor log out`, async (t) => {
    const ada = await Visitor.signedIn();
    const pages = http.createServer((_req, res) => {
      res.setHeader('Content-Type', 'text/html').end('<title>evil</title><iframe name="sink">');
    });
    pages.listen(0, '127.0.0.1');
    await once(pages, 'listening');
    t.after(async () => {
      await ada.leave();
      pages.close();
    });
    const mine = await ada.open();
    await isSignedIn(mine);
    const before = await ada.cookie('refresh_token');

    const evil = await ada.context.newPage();
    await evil.goto(`http://${host}:${portOf(pages)}/`);
    plain.auth.reset();
    const read = await evil.evaluate(async (origin) => {
      /** @type {string[]} */
      const texts = [];
      const attempts = [
        ['GET', '/auth/self'],
        ['GET', '/auth/sessions'],
        ['POST', '/auth/refresh'],
        ['POST', '/auth/logout'],
        ['DELETE', '/auth/sessions'],
      ];
      for (const [method = '', path] of attempts)
        for (const mode of /** @type {const} */ (['cors', 'no-cors'])) {
          try {
            const response = await fetch(origin + path, { method, mode, credentials: 'include' });
            texts.push(await response.text());
          } catch {
            // Not readable, or not sent.
          }
        }
      for (const [method, path] of attempts.filter(([method]) => method === 'POST')) {
        const form = document.createElement('form');
        Object.assign(form, { method, action: origin + path, target: 'sink' });
        document.body.append(form);
        form.submit();
        await new Promise((resolve) =>
          document.querySelector('iframe')?.addEventListener('load', resolve, { once: true }),
        );
      }
      return texts.join('');
    }, plain.auth.origin);

    assert.equal(read, '');
    const changing = plain.auth.passed.filter(({ route }) => /^(POST|DELETE)/.test(route));
    // The fetch of each mode and the form, for refresh and logout.
    assert.equal(changing.length, 6);
    for (const { route, status } of changing) assert.equal(status, 403, route);
    assert.deepEqual(await ada.cookie('refresh_token'), before);
    await mine.reload();
    await isSignedIn(mine);
  });
}
