import { Router } from 'express';
import type { AuthCookies } from '../config/cookies';
import type { AuthController } from '../controller/AuthController';
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
import { loginValidators } from '../validators/login-validators';
import { registerValidators } from '../validators/register-validators';

interface Services {
  users: UserService;
  sessions: SessionService;
  tokens: TokenService;
  audit: AuditLog;
  cookies: AuthCookies;
}

export function authRoutes(auth: AuthController, services: Services): Router {
  const { tokens, users } = services;
  const router = Router();

  router.post('/register', ...jsonBody, ...registerValidators, (req, res) =>
    auth.register(req, res),
  );
  router.post('/login', ...jsonBody, ...loginValidators, (req, res) => auth.login(req, res));
  router.get('/self', authenticate(tokens, users), (req, res) => {
    auth.self(req, res);
  });
  router.post('/refresh', validateRefreshToken(services), (req, res) => {
    auth.refresh(req, res);
  });
  router.post('/logout', parseAccessToken(tokens), parseRefreshToken(tokens), (req, res) =>
    auth.logout(req, res),
  );

  router.all('/self', notAllowed('GET', 'HEAD'));
  router.all(['/register', '/login', '/refresh', '/logout'], notAllowed('POST'));
  return router;
}
