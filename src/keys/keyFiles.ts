import { createPublicKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isKeyFile, KEY_FILES } from './keyFileNames';
import {
  KeyError,
  keySetOf,
  parsePrivateKey,
  parsePublicKey,
  publicJwk,
  type KeySet,
} from './keySet';

const MAX_READS = 10;

/** The text of each key file, sorted by name. */
export type KeyFiles = ReadonlyMap<string, string>;

async function readOnce(dir: string): Promise<KeyFiles> {
  const files = new Map<string, string>();
  try {
    const names = (await readdir(dir)).filter(isKeyFile).sort();
    for (const name of names) files.set(name, await readFile(path.join(dir, name), 'utf8'));
  } catch (cause) {
    const { code = '', path: file = dir } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new KeyError(`${file} cannot be read (${code})`, { cause });
  }
  return files;
}

const equal = (one: KeyFiles, other: KeyFiles) =>
  JSON.stringify([...one]) === JSON.stringify([...other]);

/**
 * Reads the folder until two reads agree: during a rotation one read could give a set that never existed.
 * @throws {KeyError} if a file exists but cannot be read, or the folder keeps changing.
 */
export async function readKeyFiles(dir: string): Promise<KeyFiles> {
  let before = await readOnce(dir);
  for (let reads = 1; reads < MAX_READS; reads += 1) {
    const after = await readOnce(dir);
    if (equal(before, after)) return after;
    before = after;
  }
  throw new KeyError(`${dir} changes while it is read`);
}

/**
 * The key set of these files: private.pem signs, all public parts verify.
 * @throws {KeyError} if a key is missing or invalid, or private.pem and public.pem are not a pair.
 */
export function keySetOfFiles(dir: string, files: KeyFiles): KeySet {
  const nameOf = (file: string) => path.join(dir, file);
  const textOf = (file: string) => {
    const text = files.get(file);
    if (text !== undefined) return text;
    throw new KeyError(
      `${nameOf(file)} is missing: make the keys with "node scripts/generateKeys.mjs"`,
    );
  };
  const privateKey = parsePrivateKey(nameOf(KEY_FILES.private), textOf(KEY_FILES.private));
  const publicKey = parsePublicKey(nameOf(KEY_FILES.public), textOf(KEY_FILES.public));
  const further = [...files]
    .filter(([file]) => file !== KEY_FILES.private && file !== KEY_FILES.public)
    .map(([file, text]) => parsePublicKey(nameOf(file), text));

  // An unfinished activation has replaced private.pem but not public.pem, whose key is already retired.
  const { kid } = publicJwk(publicKey);
  const isActivating = further.some((key) => publicJwk(key).kid === kid);
  return keySetOf(privateKey, isActivating ? createPublicKey(privateKey) : publicKey, further);
}
