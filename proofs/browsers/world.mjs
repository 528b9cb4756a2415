import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { certificateAuthority } from '../../tests/harness/certificateAuthority.js';
import { startPostgres } from '../../tests/harness/startPostgres.js';
import { requirePrograms } from '../cluster/requirePrograms.mjs';
import { startStack } from './startStack.mjs';

requirePrograms({ chromium: 'chromium' });

const postgres = await startPostgres({ fsync: false });
const authority = await certificateAuthority('of the browsers');

/** What all cases use: two stacks, one behind a TLS terminator, and one browser. */
export const plain = await startStack(postgres);
export const secure = await startStack(postgres, await authority.issue('localhost'));
export const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  // Otherwise the back button would never restore a page as it was.
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
});

after(async () => {
  await browser.close();
  await Promise.all([plain.stop(), secure.stop()]);
  await postgres.stop();
});
