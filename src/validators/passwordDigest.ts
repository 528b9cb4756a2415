import { createHash } from 'node:crypto';

/** The length of a digest, in bytes: of 16 million other passwords, one has the digest of a listed one. */
export const DIGEST_LENGTH = 5;

/** What the list of common passwords holds of each: a number, the same for capitals and small letters. */
export const passwordDigest = (password: string): number =>
  createHash('sha256').update(password.toLowerCase()).digest().readUIntBE(0, DIGEST_LENGTH);
