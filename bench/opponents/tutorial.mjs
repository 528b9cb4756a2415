/**
 * Peer: the service that tutorials teach, with the same routes and the same two tokens as ours:
 * TypeORM repositories, the private key read and parsed for each token, secrets as strings, refresh
 * by "save a new row, then delete the old one", every middleware on every route.
 */
import 'reflect-metadata';
import fs from 'node:fs';
import path from 'node:path';
import bcrypt from 'bcrypt';
import cookieParser from 'cookie-parser';
import cors from 'cors';
import express from 'express';
import jwt from 'jsonwebtoken';
import { DataSource, EntitySchema } from 'typeorm';
import winston from 'winston';
import { environment } from '../lib/environment.mjs';
import { listen } from '../lib/listen.mjs';

const HOUR_MS = 60 * 60 * 1000;
const MONTH_MS = 30 * 24 * HOUR_MS;

/**
 * @typedef {{ createdAt: Date, updatedAt: Date }} Timestamps
 * @typedef {object} UserColumns
 * @property {number} id
 * @property {string} firstName
 * @property {string} lastName
 * @property {string} email
 * @property {string} password
 * @property {string} role
 * @typedef {UserColumns & Timestamps} UserRow
 * @typedef {{ id: number, expiresAt: Date, user: UserRow } & Timestamps} RefreshTokenRow
 */

const timestamps = {
  createdAt: { type: /** @type {const} */ ('timestamptz'), createDate: true },
  updatedAt: { type: /** @type {const} */ ('timestamptz'), updateDate: true },
};
/** @type {EntitySchema<UserRow>} */
const User = new EntitySchema({
  name: 'users',
  columns: {
    id: { type: Number, primary: true, generated: true },
    firstName: { type: String },
    lastName: { type: String },
    email: { type: String, unique: true },
    password: { type: String },
    role: { type: String, default: 'customer' },
    ...timestamps,
  },
});
/** @type {import('typeorm').EntitySchemaOptions<RefreshTokenRow>} */
const refreshToken = {
  name: 'refresh_tokens',
  columns: {
    id: { type: Number, primary: true, generated: true },
    expiresAt: { type: 'timestamptz' },
    ...timestamps,
  },
  relations: { user: { type: 'many-to-one', target: 'users' } },
};
const RefreshToken = new EntitySchema(refreshToken);

const dataSource = await new DataSource({
  type: 'postgres',
  url: environment.DATABASE_URL,
  entities: [User, RefreshToken],
  synchronize: true,
}).initialize();
const users = dataSource.getRepository(User);
const refreshTokens = dataSource.getRepository(RefreshToken);

const logger = winston.createLogger({
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  transports: [new winston.transports.Console()],
});

const readKey = (/** @type {string} */ name) =>
  fs.readFileSync(path.join(environment.CERTS_DIR, name), 'utf8');

/**
 * @param {express.Response} res
 * @param {UserRow} user
 */
async function giveTokens(res, user) {
  const accessToken = jwt.sign({ role: user.role }, readKey('private.pem'), {
    algorithm: 'RS256',
    subject: String(user.id),
    expiresIn: '1h',
    issuer: 'auth-service',
  });
  const row = await refreshTokens.save({ user, expiresAt: new Date(Date.now() + MONTH_MS) });
  const refreshToken = jwt.sign({ id: row.id }, environment.SECRET, {
    algorithm: 'HS256',
    subject: String(user.id),
    expiresIn: '30d',
    issuer: 'auth-service',
  });
  res.cookie('accessToken', accessToken, { httpOnly: true, sameSite: 'strict', maxAge: HOUR_MS });
  res.cookie('refreshToken', refreshToken, {
    httpOnly: true,
    sameSite: 'strict',
    maxAge: MONTH_MS,
  });
}

const app = express();
app.use(cors({ origin: [environment.CLIENT_ORIGIN], credentials: true }));
app.use(express.json());
app.use(cookieParser());

app.post('/auth/register', async (req, res) => {
  const { firstName, lastName, email, password } = req.body;
  const hash = await bcrypt.hash(password, 10);
  const user = await users.save({ firstName, lastName, email, password: hash });
  logger.info('User has been registered', { id: user.id });
  await giveTokens(res, user);
  res.status(201).json({ id: user.id });
});

app.post('/auth/login', async (req, res) => {
  const { email, password } = req.body;
  const user = await users.findOne({ where: { email } });
  if (!user || !(await bcrypt.compare(password, user.password))) return res.sendStatus(401);
  await giveTokens(res, user);
  logger.info('User has been logged in', { id: user.id });
  return res.json({ id: user.id });
});

app.get('/auth/self', async (req, res) => {
  const claims = jwt.verify(req.cookies.accessToken, readKey('public.pem'), {
    algorithms: ['RS256'],
  });
  const user = await users.findOne({ where: { id: Number(claims.sub) } });
  res.json({ ...user, password: undefined });
});

app.post('/auth/refresh', async (req, res) => {
  const claims = /** @type {jwt.JwtPayload} */ (
    jwt.verify(req.cookies.refreshToken, environment.SECRET, { algorithms: ['HS256'] })
  );
  const stored = await refreshTokens.findOne({
    where: { id: claims.id, user: { id: Number(claims.sub) } },
  });
  const user = await users.findOne({ where: { id: Number(claims.sub) } });
  if (!stored || !user) return res.sendStatus(401);
  await giveTokens(res, user);
  await refreshTokens.delete({ id: stored.id });
  logger.info('Token has been refreshed', { id: user.id });
  return res.json({ id: user.id });
});

listen(app);
