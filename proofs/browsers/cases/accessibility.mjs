import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { button, isSignedIn, isSignedOut, Visitor } from '../Visitor.mjs';

/** @param {import('playwright-core').Page} page @param {string} view */
async function check(page, view) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
  assert.deepEqual(found, [], view);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${view} is ${overflow} px too wide`);
}

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [device, viewport] of Object.entries({
    desktop: { width: 1280, height: 900 },
    phone: { width: 360, height: 740 },
  })) {
    test(`axe finds nothing on any view: ${colorScheme}, ${device}`, async (t) => {
      const ada = await Visitor.arrive({
        context: { colorScheme, viewport, reducedMotion: 'reduce' },
      });
      t.after(() => ada.leave());
      const page = await ada.open('login');
      await isSignedOut(page);
      await check(page, 'login');
      await button(page, 'Log in').click();
      await page.getByText('Fill this in.').first().waitFor();
      await check(page, 'login with errors');
      await page.getByRole('link', { name: 'Create an account' }).click();
      await button(page, 'Create the account').click();
      await page.getByText('Fill this in.').first().waitFor();
      await check(page, 'registration with errors');

      await ada.enter('register');
      await page.reload();
      await isSignedIn(page);
      await check(page, 'profile');
      const phone = await Visitor.signedIn({ email: ada.email });
      await phone.leave();
      for (const [view, text] of Object.entries({
        Security: 'I want to delete my account',
        Sessions: 'End all others',
        Orders: /teapot|kettle|not ordered anything/,
      })) {
        await page.getByRole('link', { name: view }).click();
        const shown = page.getByText(text);
        await shown.waitFor();
        if (view === 'Security') await shown.click();
        await check(page, view);
      }
    });
  }
}
