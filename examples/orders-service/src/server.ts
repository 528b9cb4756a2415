import { accessToken, requireRole, userOf } from 'auth-service-client/express';
import cors from 'cors';
import express from 'express';

const {
  AUTH_ISSUER: issuer = 'http://localhost:5501',
  AUTH_AUDIENCE: audience = 'auth-service',
  APP_ORIGIN = 'http://localhost:5173',
  JWKS_REFRESH_SECONDS = '240',
  PORT = '5600',
} = process.env;

const orders = [
  { id: 1, customer: 1, article: 'teapot' },
  { id: 2, customer: 2, article: 'kettle' },
];

const app = express();
app.disable('x-powered-by');
// Before the guard, so that the app can also read its 401.
app.use(cors({ origin: APP_ORIGIN, credentials: true, exposedHeaders: ['Retry-After'] }));
app.use(accessToken({ issuer, audience, refreshInterval: Number(JWKS_REFRESH_SECONDS) }));

/** A customer sees only their own orders. */
app.get('/orders', (_req, res) => {
  const user = userOf(res);
  res.json({ user: user.id, orders: orders.filter(({ customer }) => customer === user.id) });
});

/** An administrator sees all. */
app.get('/orders/all', requireRole('admin'), (_req, res) => {
  res.json({ orders });
});

app.listen(Number(PORT), () => {
  process.stdout.write(`orders-service listens on ${PORT}\n`);
});
