import path from 'node:path';

/** The folder of package.json, certs/ and the .env files; the same from src/ and from dist/. */
export const PROJECT_ROOT = path.resolve(__dirname, '../..');
