/** Floor: bare Express 5 and one prepared SELECT by primary key. */
import express from 'express';
import pg from 'pg';
import { environment } from '../lib/environment.mjs';
import { listen } from '../lib/listen.mjs';

const FIND_USER = {
  name: 'find-user',
  text: `
    SELECT id, first_name AS "firstName", last_name AS "lastName", email, role,
           created_at AS "createdAt", updated_at AS "updatedAt"
    FROM users WHERE id = $1`,
};

const pool = new pg.Pool({ connectionString: environment.DATABASE_URL });
await pool.query(`
  CREATE TABLE users (
    id serial PRIMARY KEY,
    first_name varchar(255) NOT NULL,
    last_name varchar(255) NOT NULL,
    email varchar(254) NOT NULL UNIQUE,
    role varchar(32) NOT NULL DEFAULT 'customer',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`);
await pool.query(`
  INSERT INTO users (first_name, last_name, email)
  SELECT 'Ada', 'Lovelace', 'user' || n || '@example.com' FROM generate_series(1, 1000) AS n`);

const app = express();
app.set('etag', false);
app.disable('x-powered-by');

app.get('/users/:id', async (req, res) => {
  const { rows } = await pool.query({ ...FIND_USER, values: [req.params.id] });
  res.json({ message: 'User details fetched successfully', user: rows[0] });
});

listen(app);
