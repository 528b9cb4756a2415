/** Makes the screenshots of the docs: `npm --prefix proofs/browsers run screenshots`. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../tests/harness/root.js';
import { requirePrograms } from '../cluster/requirePrograms.mjs';
import { isSignedIn, Visitor } from './Visitor.mjs';

const FOLDER = path.join(ROOT, 'docs/images');
const MAX_BYTES = 150_000;
const DESKTOP = { width: 1200, height: 800 };
const PHONE = { width: 390, height: 800 };

/** @type {{ name: string, view: string, colorScheme: 'light' | 'dark', viewport: typeof PHONE }[]} */
const SHOTS = [
  { name: 'spa-light', view: 'profile', colorScheme: 'light', viewport: DESKTOP },
  { name: 'spa-dark', view: 'sessions', colorScheme: 'dark', viewport: DESKTOP },
  { name: 'spa-phone', view: 'security', colorScheme: 'light', viewport: PHONE },
];

requirePrograms({ pngquant: 'pngquant' });
fs.mkdirSync(FOLDER, { recursive: true });

test('screenshots', async (t) => {
  const first = await Visitor.arrive({ email: 'ada@example.com' });
  await first.enter('register');
  t.after(() => first.leave());
  for (const { name, view, ...context } of SHOTS)
    await t.test(name, async () => {
      const ada = await Visitor.signedIn({ email: first.email, context });
      const [, , tab] = await ada.openMany(3);
      if (!tab) throw new Error('there is no tab');
      await tab.getByRole('button', { name: 'Expire the access token' }).click();
      await tab.getByText('3 tabs').waitFor();
      await isSignedIn(tab);
      if (view !== 'profile') {
        await tab.getByRole('navigation').locator(`[href="#/${view}"]`).click();
        await tab.getByRole('heading', { level: 1, name: new RegExp(view, 'i') }).waitFor();
      }
      const file = path.join(FOLDER, `${name}.png`);
      await tab.evaluate(() => document.fonts.ready);
      await tab.screenshot({ path: file, animations: 'disabled' });
      const { status } = spawnSync('pngquant', ['--force', '--ext', '.png', '--strip', file]);
      if (status !== 0) throw new Error(`pngquant cannot compress ${file}`);
      const { size } = fs.statSync(file);
      if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes`);
      await ada.leave();
    });
});
