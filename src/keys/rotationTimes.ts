/** How long verifiers may cache the JWK set, in seconds. */
export const JWKS_MAX_AGE = 300;
