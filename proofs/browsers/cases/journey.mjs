import assert from 'node:assert/strict';
import { test } from 'node:test';
import { button, isSignedIn, isSignedOut, PASSWORD, Visitor } from '../Visitor.mjs';

/** @param {import('playwright-core').Page} page */
const focused = (page) =>
  page.evaluate(
    () => document.activeElement?.getAttribute('name') ?? document.activeElement?.tagName,
  );

test('the whole journey, from the registration to the end of the account', async (t) => {
  const ada = await Visitor.arrive();
  const page = await ada.open('login');
  t.after(() => ada.leave());
  await isSignedOut(page);

  await t.test(
    'registration: errors stand beside the fields, and the first one has the focus',
    async () => {
      await page.getByRole('link', { name: 'Create an account' }).click();
      await page.getByLabel('First name').fill('Ada');
      await page.getByLabel('E-mail').fill('nonsense');
      await page.getByLabel('Password', { exact: true }).fill('12345678');
      await button(page, 'Create the account').click();
      const lastName = page.getByLabel('Last name');
      await page.getByText('Fill this in.').waitFor();
      assert.equal(await focused(page), 'lastName');
      assert.equal(await lastName.getAttribute('aria-invalid'), 'true');
      const note = await lastName.getAttribute('aria-describedby');
      assert.equal(await page.locator(`[id="${note}"]`).textContent(), 'Fill this in.');
      await page.getByText('Enter an e-mail address').waitFor();
      await page.getByText('This password is easy to guess').waitFor();
    },
  );

  await t.test('registration, with the keyboard alone', async () => {
    await page.keyboard.type('Lovelace');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+A');
    await page.keyboard.type(ada.email);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+A');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await isSignedIn(page);
    assert.equal(await focused(page), 'H1');
    await page.getByText(ada.email).waitFor();
  });

  await t.test('names', async () => {
    await page.getByLabel('First name').fill('Augusta');
    await button(page, 'Save').click();
    await page.getByRole('heading', { name: 'Hello, Augusta' }).waitFor();
    await page.getByLabel('First name').fill('Ada');
    await button(page, 'Save').click();
    await isSignedIn(page);
    await page.getByText('Saved.').waitFor();
  });

  await t.test('orders of another service', async () => {
    await page.getByRole('link', { name: 'Orders' }).click();
    await page.getByText(/teapot|kettle|not ordered anything/).waitFor();
  });

  await t.test(
    'sessions: another device appears, and is logged out when its session is ended',
    async () => {
      const phone = await Visitor.signedIn({ email: ada.email });
      const there = await phone.open();
      await isSignedIn(there);
      await page.getByRole('link', { name: 'Sessions' }).click();
      await page.getByText('This device').waitFor();
      assert.equal(await page.getByRole('listitem').filter({ hasText: 'last used' }).count(), 2);
      await page.getByRole('button', { name: /^End the session of/ }).click();
      await page.getByText('The session has ended.').waitFor();
      assert.equal(await page.getByRole('listitem').filter({ hasText: 'last used' }).count(), 1);
      await there.getByRole('link', { name: 'Sessions' }).click();
      await isSignedOut(there);
      await there.getByText('You are logged out.').waitFor();
      await phone.leave();
    },
  );

  await t.test(
    'a change of the password: the old one is checked, others are logged out',
    async () => {
      const phone = await Visitor.signedIn({ email: ada.email });
      const there = await phone.open();
      await isSignedIn(there);
      await page.getByRole('link', { name: 'Security' }).click();
      await page.getByLabel('Current password', { exact: true }).fill('not the one');
      await page.getByLabel('New password', { exact: true }).fill(`${PASSWORD} too`);
      await button(page, 'Change the password').click();
      await page.getByText('This is not your current password.').waitFor();
      assert.equal(await focused(page), 'currentPassword');
      await page.getByLabel('Current password', { exact: true }).fill(PASSWORD);
      await button(page, 'Change the password').click();
      await page.getByText('The password is changed.').waitFor();
      await there.reload();
      await isSignedOut(there);
      await phone.leave();
      await page.reload();
      await page.getByRole('heading', { name: 'Security' }).waitFor();
    },
  );

  await t.test('log out on all other devices, here, and everywhere', async () => {
    await button(page, 'On all other devices').click();
    await page.getByText('All other devices are logged out.').waitFor();
    await button(page, 'On this device').click();
    await isSignedOut(page);
    await page.getByLabel('E-mail').fill(ada.email);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button(page, 'Log in').click();
    await page.getByText('The e-mail or the password is wrong.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(`${PASSWORD} too`);
    await button(page, 'Log in').click();
    await button(page, 'Everywhere').click();
    await isSignedOut(page);
  });

  await t.test('the end of the account', async () => {
    await page.getByLabel('E-mail').fill(ada.email);
    await page.getByLabel('Password', { exact: true }).fill(`${PASSWORD} too`);
    await button(page, 'Log in').click();
    await page.getByText('I want to delete my account').click();
    await page.getByLabel('Password', { exact: true }).fill(`${PASSWORD} too`);
    await button(page, 'Delete the account').click();
    await isSignedOut(page);
    await page.getByLabel('E-mail').fill(ada.email);
    await page.getByLabel('Password', { exact: true }).fill(`${PASSWORD} too`);
    await button(page, 'Log in').click();
    await page.getByText('The e-mail or the password is wrong.').waitFor();
  });
});
