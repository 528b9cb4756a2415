import { createHash } from 'node:crypto';
import type { Keys } from '../keys/keySet';
import openApi from './openapi.json';

/** A JSON text and its entity tag. */
export interface WellKnownDocument {
  readonly body: string;
  readonly etag: string;
}

/** The public keys, the issuer's metadata and the description of the API, serialised once. */
export class WellKnownService {
  readonly metadata: WellKnownDocument;
  /** OpenAPI 3.1. */
  readonly openApi = documentOf(openApi);
  private published: Keys['current'];
  private document: WellKnownDocument;

  constructor(
    private readonly keys: Keys,
    issuer: string,
  ) {
    this.metadata = documentOf(metadataOf(issuer));
    this.published = keys.current;
    this.document = documentOf(this.published.jwks);
  }

  /** The current key set (RFC 7517 section 5). */
  jwks(): WellKnownDocument {
    if (this.keys.current !== this.published) {
      this.published = this.keys.current;
      this.document = documentOf(this.published.jwks);
    }
    return this.document;
  }
}

function documentOf(value: object): WellKnownDocument {
  const body = JSON.stringify(value);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

/**
 * The metadata of this issuer (RFC 8414 section 2, OpenID Connect Discovery 1.0 section 3, RFC 9068
 * section 4). It has no authorization and no token endpoint.
 *
 * Both specifications want empty arrays omitted. But response_types_supported is required, and without
 * grant_types_supported and token_endpoint_auth_methods_supported defaults apply that are not ours.
 * There are no ID tokens either, but id_token_signing_alg_values_supported is required, and verifiers
 * read from it the one algorithm to accept.
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
