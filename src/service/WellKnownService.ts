import { createHash } from 'node:crypto';
import type { Keys } from '../keys/keySet';
import openApi from './openapi.json';

export interface WellKnownDocument {
  readonly body: string;
  readonly etag: string;
}

/** The public keys, the metadata and the description of the API, serialized once for each key set. */
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
 * RFC 8414 section 2, OpenID Connect Discovery 1.0 section 3, RFC 9068 section 4.
 *
 * Empty arrays are there because the field is required, or because its default would be wrong. There are
 * no ID tokens, but verifiers read the one algorithm to accept from id_token_signing_alg_values_supported.
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
