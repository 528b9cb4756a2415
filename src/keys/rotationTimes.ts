/** How long verifiers may cache the JWK set, in seconds. */
export const JWKS_MAX_AGE = 300;

/** How often a replica reads the folder of the keys, in seconds. */
export const KEY_POLL_INTERVAL = 5;

/** How long a replica may take to notice a change, in seconds: the current read and the next one. */
export const PICK_UP_TIME = 2 * KEY_POLL_INTERVAL;
