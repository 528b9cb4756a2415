import { Router } from 'express';
import type { AuthCookies } from '../http/AuthCookies';
import type { AccountController } from '../controller/AccountController';
import type { AuthController } from '../controller/AuthController';
import type { SessionController } from '../controller/SessionController';
import { authenticate } from '../middleware/authenticate';
import { jsonBody } from '../middleware/jsonBody';
import { notAllowed } from '../middleware/notAllowed';
import { parseAccessToken } from '../middleware/parseAccessToken';
import { parseRefreshToken } from '../middleware/parseRefreshToken';
import { validateRefreshToken } from '../middleware/validateRefreshToken';
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

interface Controllers {
  auth: AuthController;
  account: AccountController;
  sessions: SessionController;
}

interface Services {
  users: UserService;
  sessions: SessionService;
  tokens: TokenService;
  audit: AuditLog;
  cookies: AuthCookies;
}

export function authRoutes(controllers: Controllers, services: Services): Router {
  const { auth, account, sessions } = controllers;
  const { tokens, users } = services;
  const authenticated = authenticate(tokens, users);
  const router = Router();

  router.post('/register', ...jsonBody, ...registerValidators, (req, res) =>
    auth.register(req, res),
  );
  router.post('/login', ...jsonBody, ...loginValidators, (req, res) => auth.login(req, res));
  router.post('/refresh', validateRefreshToken(services), (req, res) => auth.refresh(req, res));
  router.post(
    '/logout',
    parseAccessToken(tokens),
    parseRefreshToken(tokens),
    ...logoutValidators,
    (req, res) => auth.logout(req, res),
  );

  router.get('/self', authenticated, (req, res) => {
    auth.self(req, res);
  });
  router.patch('/self', authenticated, ...jsonBody, ...renameValidators, (req, res) =>
    account.rename(req, res),
  );
  router.delete('/self', authenticated, ...jsonBody, ...deleteAccountValidators, (req, res) =>
    account.delete(req, res),
  );
  router.patch('/password', authenticated, ...jsonBody, ...passwordValidators, (req, res) =>
    account.changePassword(req, res),
  );

  router.get('/sessions', authenticated, (req, res) => sessions.list(req, res));
  router.delete('/sessions', authenticated, (req, res) => sessions.endOthers(req, res));
  router.delete('/sessions/:id', authenticated, (req, res) => sessions.end(req, res));

  router.all(['/register', '/login', '/refresh', '/logout'], notAllowed('POST'));
  router.all('/self', notAllowed('GET', 'HEAD', 'PATCH', 'DELETE'));
  router.all('/password', notAllowed('PATCH'));
  router.all('/sessions', notAllowed('GET', 'HEAD', 'DELETE'));
  router.all('/sessions/:id', notAllowed('DELETE'));
  return router;
}
