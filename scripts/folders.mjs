import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT_ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The folder of the key files, as the service finds it. */
export const certsDir = () => path.resolve(PROJECT_ROOT, process.env.CERTS_DIR || 'certs');

/** The folder of dev's database and secret. */
export const dataFolder = () => path.resolve(PROJECT_ROOT, process.env.AUTH_DATA_DIR || '.data');
