/**
 * Uses examples/spa in Debian's Chromium, against the built service: `npm run proof:browsers`.
 *
 * Stock Firefox does not run here: Playwright gives each page a colour scheme by the command
 * `emulation.setMediaFeaturesOverride` of WebDriver BiDi, which Firefox ESR 153 does not know.
 */
import './cases/journey.mjs';
import './cases/tabs.mjs';
import './cases/failures.mjs';
import './cases/attacks.mjs';
import './cases/settings.mjs';
import './cases/accessibility.mjs';
import './cases/demo.mjs';
