import { test } from 'node:test';
import { freePort } from '../../../tests/harness/freePort.js';
import { Program } from '../../../tests/harness/Program.js';
import { tempFolder } from '../../../tests/harness/tempFolder.js';
import { until } from '../../../tests/harness/until.js';
import { button, isSignedIn, PASSWORD } from '../Visitor.mjs';
import { browser } from '../world.mjs';

test('npm run demo: everything starts with one command, and Ctrl-C ends it', async (t) => {
  const ports = [await freePort(), await freePort(), await freePort()].map(String);
  const [PORT, ORDERS_PORT, APP_PORT] = ports;
  const folders = { AUTH_DATA_DIR: tempFolder('demo'), CERTS_DIR: tempFolder('demo-certs') };
  const demo = new Program('npm', ['run', 'demo'], {
    env: { PORT, ORDERS_PORT, APP_PORT, ...folders },
    group: true,
  });
  const [, address = ''] = await demo.printed(/^open (\S+)$/m);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${address}/#/register`);
  await page.getByLabel('First name').fill('Ada');
  await page.getByLabel('Last name').fill('Lovelace');
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await button(page, 'Create the account').click();
  await isSignedIn(page);
  await page.getByRole('link', { name: 'Orders' }).click();
  await page.getByText('teapot').waitFor();

  // As a terminal does it: to all programs at once.
  process.kill(-demo.pid, 'SIGINT');
  await demo.exited;
  // npm may end before the service has drained.
  await until(async () => {
    const attempts = await Promise.allSettled(
      ports.map((port) => fetch(`http://localhost:${port}`)),
    );
    return attempts.every(({ status }) => status === 'rejected');
  }, 'the end of all three');
});
