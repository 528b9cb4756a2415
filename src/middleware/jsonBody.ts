import { json, type Request, type RequestHandler } from 'express';
import { problem } from '../config/problems';

/** 16 KiB, after inflation. */
const LIMIT_BYTES = 16 * 1024;

const hasBody = (req: Request) =>
  req.headers['transfer-encoding'] !== undefined || Number(req.get('content-length') ?? 0) > 0;

/** Reads a JSON body of at most 16 KiB into `req.body`; a body of another type is refused. */
export const jsonBody: RequestHandler[] = [
  (req, _res, next) => {
    if (hasBody(req) && !req.is('application/json')) throw problem('unsupported-media-type');
    next();
  },
  json({ limit: LIMIT_BYTES, strict: true }),
];
