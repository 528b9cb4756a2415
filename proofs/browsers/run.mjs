/**
 * Uses examples/spa in Debian's Chromium, against the built service: `npm run proof:browsers`.
 * Needs `npm run build`, and the builds of the client and of examples/orders-service.
 */
import './cases/journey.mjs';
import './cases/tabs.mjs';
import './cases/failures.mjs';
import './cases/attacks.mjs';
import './cases/settings.mjs';
import './cases/accessibility.mjs';
