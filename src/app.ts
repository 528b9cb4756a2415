import cookieParser from 'cookie-parser';
import cors from 'cors';
import express, { Router, type Express } from 'express';
import type { DataSource } from 'typeorm';
import type { Config } from './config';
import { AuthCookies } from './http/AuthCookies';
import type { Keys } from './keys/keySet';
import type { Logger } from './config/logger';
import { Database } from './database/Database';
import { problem } from './errors/problems';
import { AccountController } from './controller/AccountController';
import { AuthController } from './controller/AuthController';
import { HealthController, type Lifecycle } from './controller/HealthController';
import { SessionController } from './controller/SessionController';
import { allowedOrigin } from './middleware/allowedOrigin';
import { bodyLimit } from './middleware/bodyLimit';
import { errorHandler } from './middleware/errorHandler';
import { noStore } from './middleware/noStore';
import { requestContext } from './middleware/requestContext';
import { securityHeaders } from './middleware/securityHeaders';
import { authRoutes } from './routes/auth';
import { healthRoutes } from './routes/health';
import { wellKnownRoutes } from './routes/well-known';
import { AttemptLimiter } from './service/AttemptLimiter';
import { AuditLog } from './service/AuditLog';
import { CredentialService } from './service/CredentialService';
import { SessionService } from './service/SessionService';
import { TokenService } from './service/TokenService';
import { UserService } from './service/UserService';

export interface Dependencies {
  config: Config;
  /** Connected. */
  dataSource: DataSource;
  keys: Keys;
  logger: Logger;
  lifecycle: Lifecycle;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The service as an Express application, with all that it is made of. */
export function createApp(dependencies: Dependencies): Express {
  const { config, dataSource, keys, logger, lifecycle, now = Date.now } = dependencies;
  const database = new Database(dataSource);
  const audit = new AuditLog(logger);
  const cookies = new AuthCookies(config.cookies);
  const tokens = new TokenService(config.tokens, keys, now);
  const sessions = new SessionService(config.sessions, database.query);
  const users = new UserService(
    database,
    new CredentialService(config.hashing),
    sessions,
    new AttemptLimiter(config, database, now),
  );
  const controllers = {
    auth: new AuthController(users, sessions, tokens, cookies, audit),
    account: new AccountController(users, tokens, cookies, audit),
    sessions: new SessionController(sessions, cookies, audit),
  };
  const health = new HealthController(
    database.query,
    lifecycle,
    dataSource.migrations.map(({ name, constructor }) => name ?? constructor.name),
  );

  const app = express();
  app.set('etag', false);
  app.set('trust proxy', config.trustProxy ?? false);
  app.disable('x-powered-by');
  // Else Express prints the stack of what fails after its answer.
  app.set('env', 'test');

  app.use(requestContext(logger));
  app.use(securityHeaders());
  app.use(['/auth', '/api/auth'], authRouter());
  app.use(bodyLimit);
  app.use('/.well-known', wellKnownRoutes(keys, config.tokens.issuer));
  app.use('/health', noStore, healthRoutes(health));
  app.use(() => {
    throw problem('not-found');
  });
  app.use(errorHandler(logger, audit));
  return app;

  function authRouter(): Router {
    const router = Router();
    router.use(noStore);
    router.use(
      cors({
        origin: [...config.allowedOrigins],
        credentials: true,
        methods: ['GET', 'POST', 'PATCH', 'DELETE'],
        exposedHeaders: [
          'X-Request-Id',
          'Retry-After',
          'RateLimit-Limit',
          'RateLimit-Remaining',
          'RateLimit-Reset',
        ],
        maxAge: 600,
      }),
    );
    router.use(bodyLimit);
    router.use(allowedOrigin(config.allowedOrigins));
    router.use(cookieParser());
    router.use(authRoutes(controllers, { users, sessions, tokens, audit, cookies }));
    return router;
  }
}
