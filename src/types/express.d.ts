import type { Client } from './client';
import type { LiveSession } from './session';
import type { AccessClaims, RefreshClaims } from './token';
import type { UserDetails } from './user';

declare global {
  namespace Express {
    interface Request {
      /** Set on every request, before anything else. */
      caller: Client;
      /** The claims of the access tokens: set by parseAccessToken. */
      access?: readonly AccessClaims[];
      /** The claims of the refresh tokens: set by parseRefreshToken. */
      refresh?: readonly RefreshClaims[];
      /** The claims of the caller's access token: set by authenticate and sameSession. */
      auth?: AccessClaims;
      /** The account of a live session: set by authenticate. */
      user?: UserDetails;
      /** The session after its refresh token was rotated: set by validateRefreshToken. */
      rotated?: LiveSession;
    }
  }
}
