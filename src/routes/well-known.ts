import { createHash } from 'node:crypto';
import { Router, type Response } from 'express';
import type { Keys } from '../keys/keySet';
import { JWKS_MAX_AGE } from '../keys/rotationTimes';
import { notAllowed } from '../middleware/notAllowed';

/** A JSON text and its entity tag, made once. */
interface Document {
  body: string;
  etag: string;
}

function documentOf(value: object): Document {
  const body = JSON.stringify(value);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

/**
 * What there is to know about this issuer (RFC 8414 section 2, OpenID Connect Discovery 1.0 section
 * 3, RFC 9068 section 4), and nothing that is not so: it has no authorization and no token endpoint.
 *
 * Both specifications want empty arrays left out. Yet response_types_supported is required, and the
 * absence of grant_types_supported and of token_endpoint_auth_methods_supported means defaults that
 * are not ours. There are no ID tokens either, but verifiers learn from
 * id_token_signing_alg_values_supported, which is required, the one algorithm to accept.
 */
function metadataOf(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [],
    token_endpoint_auth_methods_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    claims_supported: ['iss', 'aud', 'sub', 'role', 'sid', 'jti', 'iat', 'exp'],
  };
}

/**
 * The public keys, and the documents from which a verifier that knows only the issuer configures
 * itself. An issuer with a path has them also where RFC 8414 section 3.1 puts them, before its path.
 */
export function wellKnownRoutes(keys: Keys, issuer: string): Router {
  const router = Router();
  const metadata = documentOf(metadataOf(issuer));
  const issuerPath = new URL(issuer).pathname.replace(/\/$/, '');
  const metadataPaths = ['/openid-configuration', '/oauth-authorization-server'].flatMap((path) => [
    path,
    path + issuerPath,
  ]);

  let published = keys.current;
  let jwks = documentOf(published.jwks);
  const currentJwks = () => {
    if (keys.current !== published) {
      published = keys.current;
      jwks = documentOf(published.jwks);
    }
    return jwks;
  };

  const send = (res: Response, { body, etag }: Document) => {
    res.set({ 'Cache-Control': `public, max-age=${JWKS_MAX_AGE}`, ETag: etag });
    res.type('application/json').send(body);
  };
  router.get('/jwks.json', (_req, res) => {
    send(res, currentJwks());
  });
  router.get(metadataPaths, (_req, res) => {
    send(res, metadata);
  });
  router.all(['/jwks.json', ...metadataPaths], notAllowed('GET', 'HEAD'));
  return router;
}
