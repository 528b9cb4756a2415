/**
 * Peer: Better Auth on Express with PostgreSQL, as its documentation sets it up, in production mode.
 * Its rate limiter is off, like ours. Its session cookie cache is off, which is its default, so that it
 * notices an ended session at once, like ours.
 */
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import express from 'express';
import pg from 'pg';
import { environment } from '../lib/environment.mjs';
import { listen } from '../lib/listen.mjs';

const options = {
  baseURL: `http://127.0.0.1:${environment.PORT}`,
  secret: environment.SECRET,
  database: new pg.Pool({ connectionString: environment.DATABASE_URL }),
  emailAndPassword: { enabled: true },
  trustedOrigins: [environment.CLIENT_ORIGIN],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
};
const { runMigrations } = await getMigrations(options);
await runMigrations();

const app = express();
app.all('/api/auth/*splat', toNodeHandler(betterAuth(options)));

listen(app);
