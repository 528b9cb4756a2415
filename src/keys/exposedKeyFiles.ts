import { statSync } from 'node:fs';
import path from 'node:path';

const PRIVATE_FILES = ['private.pem', 'next.pem'];

/**
 * The files with a private key that every user of the machine can read. The group may: mounted secrets
 * are readable for the group of the service. Windows has no such modes.
 */
export function exposedKeyFiles(dir: string): string[] {
  if (process.platform === 'win32') return [];
  return PRIVATE_FILES.map((name) => path.join(dir, name)).filter((file) => {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & 0o007) !== 0;
  });
}
