/** Peer: Passport with sessions in PostgreSQL (express-session, connect-pg-simple), as in their READMEs. */
import bcrypt from 'bcrypt';
import connectPgSimple from 'connect-pg-simple';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { Strategy } from 'passport-local';
import pg from 'pg';
import { environment } from '../lib/environment.mjs';
import { listen } from '../lib/listen.mjs';

const COST = 10;
const pool = new pg.Pool({ connectionString: environment.DATABASE_URL });
await pool.query(`
  CREATE TABLE users (
    id serial PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    password text NOT NULL
  )`);

passport.use(
  new Strategy({ usernameField: 'email' }, async (email, password, done) => {
    const { rows } = await pool.query('SELECT * FROM users WHERE email = $1', [email]);
    const matches = rows[0] && (await bcrypt.compare(password, rows[0].password));
    done(null, matches ? rows[0] : false);
  }),
);
/**
 * @typedef {{ id: number }} Row
 * @param {unknown} user
 */
const idOf = (user) => /** @type {Row} */ (user).id;

passport.serializeUser((user, done) => done(null, idOf(user)));
passport.deserializeUser(async (id, done) => {
  const { rows } = await pool.query('SELECT id, name, email FROM users WHERE id = $1', [id]);
  done(null, rows[0] ?? false);
});

const PgSession = connectPgSimple(session);
const app = express();
app.use(express.json());
app.use(
  session({
    store: new PgSession({ pool, createTableIfMissing: true }),
    secret: environment.SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 30 * 24 * 60 * 60 * 1000 },
  }),
);
app.use(passport.session());

app.post('/register', async (req, res, next) => {
  const { firstName, lastName, email, password } = req.body;
  const { rows } = await pool.query(
    'INSERT INTO users (name, email, password) VALUES ($1, $2, $3) RETURNING id, name, email',
    [`${firstName} ${lastName}`, email, await bcrypt.hash(password, COST)],
  );
  req.login(rows[0], (error) => (error ? next(error) : res.status(201).json(rows[0])));
});
app.post('/login', passport.authenticate('local'), (req, res) => {
  res.json({ id: idOf(req.user) });
});
app.get('/me', (req, res) => {
  if (!req.user) return res.sendStatus(401);
  return res.json(req.user);
});

listen(app);
