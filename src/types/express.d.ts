import type { Client } from './client';
import type { LiveSession } from './session';
import type { AccessClaims, RefreshClaims } from './token';
import type { UserDetails } from './user';

declare global {
  namespace Express {
    interface Request {
      /** Set by requestContext on every request. */
      caller: Client;
      /** Set by parseAccessToken. */
      access?: readonly AccessClaims[];
      /** Set by parseRefreshToken. */
      refresh?: readonly RefreshClaims[];
      /** Set by authenticate and sameSession. */
      auth?: AccessClaims;
      /** Set by authenticate. */
      user?: UserDetails;
      /** Set by validateRefreshToken. */
      rotated?: LiveSession;
    }
  }
}
