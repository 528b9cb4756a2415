import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { createKeys } from '../createKeys.mjs';
import { certsDir, dataFolder } from '../folders.mjs';
import { writeAtomically } from '../writeAtomically.mjs';

/** In dev and test: makes the key files and the refresh secret if they are missing. */
export async function ensureSecrets() {
  // A key file may be there alone on purpose: the service says what is missing.
  const keyFiles = ['private.pem', 'public.pem'].map((name) => path.join(certsDir(), name));
  if (!keyFiles.some((file) => fs.existsSync(file))) await createKeys(certsDir());
  if (!process.env.REFRESH_JWT_SECRET_FILE) process.env.REFRESH_JWT_SECRET ||= refreshSecret();
}

function refreshSecret() {
  const file = path.join(dataFolder(), 'refresh-secret');
  fs.mkdirSync(dataFolder(), { recursive: true });
  writeAtomically(file, randomBytes(48).toString('base64url'), 0o600);
  return fs.readFileSync(file, 'utf8').trim();
}
