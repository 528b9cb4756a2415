import type { Client } from './client';
import type { LiveSession } from './session';
import type { AccessClaims, RefreshClaims } from './token';
import type { UserDetails } from './user';

declare global {
  namespace Express {
    interface Request {
      /** Set on every request, before anything else. */
      caller: Client;
      /** The access token's claims: set by parseAccessToken and authenticate. */
      auth?: AccessClaims;
      /** The account of a live session: set by authenticate. */
      user?: UserDetails;
      /** The refresh token's claims: set by parseRefreshToken. */
      refresh?: RefreshClaims;
      /** The session after its refresh token was rotated: set by validateRefreshToken. */
      rotated?: LiveSession;
    }
  }
}
