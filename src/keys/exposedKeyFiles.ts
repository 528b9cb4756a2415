import { statSync } from 'node:fs';
import path from 'node:path';

const PRIVATE_FILES = ['private.pem', 'next.pem'];

/** Private key files that every user can read. The group may read them: mounted secrets need it. */
export function exposedKeyFiles(dir: string): string[] {
  if (process.platform === 'win32') return [];
  return PRIVATE_FILES.map((name) => path.join(dir, name)).filter((file) => {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & 0o007) !== 0;
  });
}
