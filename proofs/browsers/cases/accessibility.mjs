import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { button, isSignedIn, isSignedOut, Visitor } from '../Visitor.mjs';

const VIEWPORTS = [
  { width: 1280, height: 900 },
  { width: 360, height: 740 },
];

/** @param {import('playwright-core').Page} page */
async function check(page) {
  for (const viewport of VIEWPORTS) {
    await page.setViewportSize(viewport);
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
      assert.deepEqual(found, [], `${colorScheme}, ${viewport.width} px`);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
  }
}

test('axe finds nothing: light and dark, on a desktop and on a phone', async (t) => {
  const ada = await Visitor.arrive();
  t.after(() => ada.leave());
  const page = await ada.open('login');

  await t.test('login', async () => {
    await isSignedOut(page);
    await check(page);
  });
  await t.test('login with a problem', async () => {
    await button(page, 'Log in').click();
    await page.getByText('Fill this in.').first().waitFor();
    await check(page);
  });
  await t.test('registration with errors', async () => {
    await page.getByRole('link', { name: 'Create an account' }).click();
    await button(page, 'Create the account').click();
    await page.getByText('Fill this in.').first().waitFor();
    await check(page);
  });
  await t.test('profile', async () => {
    await ada.enter('register');
    await page.reload();
    await isSignedIn(page);
    await check(page);
  });
  for (const [view, text] of Object.entries({
    Security: 'I want to delete my account',
    Sessions: 'End all others',
    Orders: /teapot|kettle|not ordered anything/,
  }))
    await t.test(view.toLowerCase(), async () => {
      if (view === 'Sessions') await (await Visitor.signedIn({ email: ada.email })).leave();
      await page.getByRole('link', { name: view }).click();
      const shown = page.getByText(text);
      await shown.waitFor();
      if (view === 'Security') await shown.click();
      await check(page);
    });
});
