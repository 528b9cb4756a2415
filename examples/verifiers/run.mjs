/**
 * Shows the access tokens of the built service to other verifier libraries: each accepts the good
 * ones and refuses the bad, with clocks that differ. Then the orders service, and a whole rotation with verifiers that cache.
 * Ends with "N passed, N failed".
 */
import { cookieHeader } from '../../tests/harness/cookieHeader.js';
import { checkClocks } from './checkClocks.mjs';
import { checkGuard } from './checkGuard.mjs';
import { checkRotation } from './checkRotation.mjs';
import { assertEqual, assertRefused, check, summary } from './checks.mjs';
import { verifyWithExpressJwt } from './expressJwt.mjs';
import { verifyWithExpressOauth2JwtBearer } from './expressOauth2JwtBearer.mjs';
import { verifyWithJose } from './jose.mjs';
import { verifyWithJwksRsa } from './jwksRsa.mjs';
import { verifyWithNginx } from './nginx.mjs';
import { checkOrdersService } from './ordersService.mjs';
import { verifyWithPyJwt } from './pyjwt.mjs';
import { enter, startAuthService } from './service.mjs';
import { forge } from './tokens.mjs';

const LIMIT = 240_000;
setTimeout(() => {
  process.stdout.write(`FAILED  the whole run took more than ${LIMIT / 1000} s\n`);
  process.exit(1);
}, LIMIT).unref();

const service = await startAuthService();
try {
  const { userId, access, refresh } = await enter(service, 'register', 'ada@example.com');
  const subject = String(userId);
  const { control, bad, sign } = await forge(access, refresh, service.certs);

  const clients = {
    jose: verifyWithJose,
    'jsonwebtoken with jwks-rsa': verifyWithJwksRsa,
    'express-jwt': verifyWithExpressJwt,
    'express-oauth2-jwt-bearer': verifyWithExpressOauth2JwtBearer,
    PyJWT: verifyWithPyJwt,
    'nginx auth_request': verifyWithNginx,
  };
  for (const [name, connect] of Object.entries(clients)) {
    const verifier = await connect({ ...service, subject });
    const { verify } = verifier;
    await check(`${name} accepts a good token`, async () => {
      assertEqual(await verify(access), subject, 'subject');
      assertEqual(await verify(control), subject, 'subject of the control');
    });
    for (const [fault, token] of Object.entries(bad)) {
      await check(`${name} refuses a token ${fault}`, () => assertRefused(verifier, token));
    }
    await check(`${name} still accepts a good token`, async () => {
      assertEqual(await verify(access), subject, 'subject');
    });
    const asksService = name === 'nginx auth_request';
    await checkClocks(name, verifier, sign, { asksService });
    if (asksService) {
      await check(`${name} refuses a token whose session has ended`, async () => {
        const other = await enter(service, 'login', 'ada@example.com');
        assertEqual(await verify(other.access), subject, 'subject');
        const logout = await fetch(`${service.issuer}/auth/logout`, {
          method: 'POST',
          headers: { Cookie: cookieHeader(other) },
        });
        assertEqual(logout.status, 200, 'logout');
        await assertRefused(verifier, other.access);
      });
    }
    await verifier.stop?.();
  }

  await checkGuard(service, access, bad);
  await checkOrdersService(service, bad, sign);
} finally {
  await service.stop();
}
await checkRotation();
process.exit(summary() ? 0 : 1);
