import { createHash } from 'node:crypto';

/** In bytes. Long enough that an unlisted password hardly ever has the digest of a listed one. */
export const DIGEST_LENGTH = 5;

/** How the list of common passwords stores each one; case is ignored. */
export const passwordDigest = (password: string): number =>
  createHash('sha256').update(password.toLowerCase()).digest().readUIntBE(0, DIGEST_LENGTH);
