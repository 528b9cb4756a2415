import type { Client } from './client';
import type { LiveSession } from '../service/SessionService';
import type { AccessClaims, RefreshClaims } from '../service/TokenService';
import type { UserDetails } from '../service/UserService';

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
      /** The session that took the refresh token: set by validateRefreshToken. */
      session?: LiveSession;
    }
  }
}
