import type { Router } from 'express';
import type { AccountController } from '../controller/AccountController';
import type { AuthController } from '../controller/AuthController';
import type { SessionController } from '../controller/SessionController';
import type { AuthCookies } from '../http/AuthCookies';
import { authenticate } from '../middleware/authenticate';
import { jsonBody } from '../middleware/jsonBody';
import { networkLimit } from '../middleware/networkLimit';
import { parseAccessToken } from '../middleware/parseAccessToken';
import { parseRefreshToken } from '../middleware/parseRefreshToken';
import { sameSession } from '../middleware/sameSession';
import { validateRefreshToken } from '../middleware/validateRefreshToken';
import type { AttemptLimiter } from '../service/AttemptLimiter';
import type { AuditLog } from '../service/AuditLog';
import type { SessionService } from '../service/SessionService';
import type { TokenService } from '../service/TokenService';
import type { UserService } from '../service/UserService';
import {
  deleteAccountValidators,
  passwordValidators,
  renameValidators,
} from '../validators/account-validators';
import { loginValidators } from '../validators/login-validators';
import { logoutValidators } from '../validators/logout-validators';
import { registerValidators } from '../validators/register-validators';
import { routeTable } from './routeTable';

interface Controllers {
  auth: AuthController;
  account: AccountController;
  sessions: SessionController;
}

interface Services {
  attempts: AttemptLimiter;
  users: UserService;
  sessions: SessionService;
  tokens: TokenService;
  audit: AuditLog;
  cookies: AuthCookies;
}

export function authRoutes(controllers: Controllers, services: Services): Router {
  const { auth, account, sessions } = controllers;
  const { attempts, audit, cookies, tokens } = services;
  const authenticated = authenticate(services);
  const rotated = validateRefreshToken(services);
  const bothTokens = [parseAccessToken(tokens, cookies), parseRefreshToken(tokens, cookies)];
  const paired = sameSession(services.sessions);

  // One line a route.
  // prettier-ignore
  return routeTable([
    ['POST', '/register', [networkLimit(attempts, audit, 'registration'), ...jsonBody, ...registerValidators], auth.register],
    ['POST', '/login', [networkLimit(attempts, audit, 'sign-in'), ...jsonBody, ...loginValidators], auth.login],
    ['POST', '/refresh', [rotated], auth.refresh],
    ['POST', '/logout', [...bothTokens, ...logoutValidators, paired], auth.logout],
    ['GET', '/self', [authenticated], auth.self],
    ['PATCH', '/self', [authenticated, ...jsonBody, ...renameValidators], account.rename],
    ['DELETE', '/self', [authenticated, ...jsonBody, ...deleteAccountValidators], account.delete],
    ['PATCH', '/password', [authenticated, ...jsonBody, ...passwordValidators], account.changePassword],
    ['GET', '/sessions', [authenticated], sessions.list],
    ['DELETE', '/sessions', [authenticated], sessions.endOthers],
    ['DELETE', '/sessions/:id', [authenticated], sessions.end],
  ]);
}
