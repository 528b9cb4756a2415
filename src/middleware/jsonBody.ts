import { isUtf8 } from 'node:buffer';
import { parse } from 'content-type';
import { json, type Request, type RequestHandler } from 'express';
import { problem } from '../errors/problems';
import { BODY_LIMIT } from './bodyLimit';

const hasBody = (req: Request) =>
  req.headers['transfer-encoding'] !== undefined || Number(req.get('content-length') ?? 0) > 0;

/** JSON between systems is UTF-8 (RFC 8259 section 8.1); the parser would accept other charsets. */
const isJson = (header = '') => {
  const { type, parameters } = parse(header);
  return type === 'application/json' && /^(?:cs)?utf-?8$/i.test(parameters.charset ?? 'utf-8');
};

/** Parses a JSON body of at most 16 KiB, inflated, into `req.body`; refuses any other media type. */
export const jsonBody: RequestHandler[] = [
  (req, _res, next) => {
    if (hasBody(req)) {
      if (!isJson(req.headers['content-type'])) throw problem('unsupported-media-type');
      // The parser knows fewer spellings.
      req.headers['content-type'] = 'application/json';
    }
    next();
  },
  json({
    limit: BODY_LIMIT,
    strict: true,
    // Decoding would replace invalid bytes by U+FFFD, even in a password.
    verify: (_req, _res, body) => {
      if (!isUtf8(body)) throw problem('malformed-request');
    },
  }),
];
