import cookieParser from 'cookie-parser';
import express, { Router, type ErrorRequestHandler, type Express } from 'express';
import type { Config } from './config';
import type { Logger } from './config/logger';
import { AccountController } from './controller/AccountController';
import { AuthController } from './controller/AuthController';
import { DocsController } from './controller/DocsController';
import { HealthController } from './controller/HealthController';
import { SessionController } from './controller/SessionController';
import { WellKnownController } from './controller/WellKnownController';
import { problem } from './errors/problems';
import { AuthCookies } from './http/AuthCookies';
import { allowedOrigin } from './middleware/allowedOrigin';
import { anyOrigin } from './middleware/anyOrigin';
import { bodyLimit } from './middleware/bodyLimit';
import { clearAmbiguousCookies } from './middleware/clearAmbiguousCookies';
import { corsPolicy } from './middleware/corsPolicy';
import { errorHandler } from './middleware/errorHandler';
import { noStore } from './middleware/noStore';
import { requestContext } from './middleware/requestContext';
import { responseDeadline } from './middleware/responseDeadline';
import { securityHeaders } from './middleware/securityHeaders';
import { trustProxy } from './middleware/trustProxy';
import { authRoutes } from './routes/auth';
import { docsRoutes } from './routes/docs';
import { healthRoutes } from './routes/health';
import { openApiRoutes } from './routes/open-api';
import { wellKnownRoutes } from './routes/well-known';
import type { Services } from './services';

/** The Express application: middleware and routes in the order in which a request meets them. */
export function createApp(services: Services, config: Config, logger: Logger): Express {
  const documents = new WellKnownController(services.wellKnown);
  const onError = errorHandler(logger, services.audit);
  const app = express();
  app.set('etag', false);
  app.disable('x-powered-by');
  // Otherwise Express prints the stack of an error that follows the response.
  app.set('env', 'test');

  app.use(trustProxy(app, config.trustProxy, logger));
  app.use(requestContext(logger, services.metrics));
  app.use(securityHeaders(config.environment));
  const auth = authRouter(services, config, onError);
  // Not both in one list: OpenTelemetry takes a list for the name of the route.
  app.use('/auth', auth);
  app.use('/api/auth', auth);
  app.use(bodyLimit);
  app.use(['/.well-known', '/openapi.json'], anyOrigin);
  app.use('/.well-known', wellKnownRoutes(documents, config.tokens.issuer));
  app.use('/health', noStore, healthRoutes(new HealthController(services.health)));
  app.use(openApiRoutes(documents));
  if (config.apiDocs) app.use(docsRoutes(new DocsController()));
  app.use(() => {
    throw problem('not-found');
  });
  app.use(onError);
  return app;
}

function authRouter(services: Services, config: Config, onError: ErrorRequestHandler): Router {
  const { users, sessions, tokens, audit } = services;
  const cookies = new AuthCookies(config.cookies);
  const controllers = {
    auth: new AuthController(users, sessions, tokens, cookies, audit),
    account: new AccountController(users, tokens, cookies, audit),
    sessions: new SessionController(sessions, cookies, audit),
  };
  const router = Router();
  router.use(responseDeadline(onError));
  router.use(noStore);
  router.use(corsPolicy(config.allowedOrigins));
  router.use(bodyLimit);
  router.use(allowedOrigin(config.allowedOrigins));
  router.use(cookieParser());
  router.use(authRoutes(controllers, { ...services, cookies }));
  router.use(clearAmbiguousCookies(cookies));
  return router;
}
