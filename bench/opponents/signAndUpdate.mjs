/**
 * Floor: the least work of a refresh with a rotating token: bare Express 5, one UPDATE by primary
 * key, one RS256 and one HS256 signature with keys that were read once.
 */
import { createPrivateKey, createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import express from 'express';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { environment } from '../lib/environment.mjs';
import { listen } from '../lib/listen.mjs';

const ROTATE = {
  name: 'rotate',
  text: `
    UPDATE sessions SET token_id = token_id + 1, updated_at = now()
    WHERE id = $1 RETURNING token_id AS "tokenId", user_id AS "userId"`,
};

const privateKey = createPrivateKey(
  readFileSync(path.join(environment.CERTS_DIR, 'private.pem'), 'utf8'),
);
const secretKey = createSecretKey(randomBytes(48));
const pool = new pg.Pool({ connectionString: environment.DATABASE_URL });
await pool.query(`
  CREATE TABLE sessions (
    id serial PRIMARY KEY,
    user_id integer NOT NULL,
    token_id bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
  )`);
await pool.query(
  'INSERT INTO sessions (user_id, token_id) SELECT n, n FROM generate_series(1, 1000) AS n',
);

const app = express();
app.set('etag', false);
app.disable('x-powered-by');

app.post('/sessions/:id/refresh', async (req, res) => {
  const { rows } = await pool.query({ ...ROTATE, values: [req.params.id] });
  const { tokenId, userId } = rows[0];
  const claims = { iss: 'bench', aud: 'bench', sub: String(userId), sid: req.params.id };
  const accessToken = jwt.sign({ ...claims, jti: randomUUID(), role: 'customer' }, privateKey, {
    algorithm: 'RS256',
    expiresIn: '1h',
  });
  const refreshToken = jwt.sign({ ...claims, jti: tokenId }, secretKey, {
    algorithm: 'HS256',
    expiresIn: '30d',
  });
  res.json({ accessToken, refreshToken });
});

listen(app);
