import { createPublicKey, randomBytes, type KeyObject } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { isRetiredFile, KEY_FILES } from './keyFileNames';
import { KeyError, parsePrivateKey, parsePublicKey, publicJwk } from './keySet';

const TIMES_FILE = 'keys.json';
const UNFINISHED = /^\.rotate-.*\.tmp$/;

/** By kid; ISO 8601, UTC. */
const timesSchema = z.record(
  z.string(),
  z.object({
    publishedAt: z.iso.datetime().optional(),
    activatedAt: z.iso.datetime().optional(),
    supersededAt: z.iso.datetime().optional(),
  }),
);

export type KeyTimes = z.infer<typeof timesSchema>;

export interface StoredKey {
  readonly file: string;
  readonly kid: string;
  readonly key: KeyObject;
}

/**
 * The folder of the key files and keys.json. Each change is atomic, and on disk when its method returns.
 * Methods throw a {@link KeyError} for a file that cannot be read or is not valid.
 */
export class KeyFolder {
  constructor(private readonly dir: string) {}

  signing(): StoredKey {
    const found = this.key(KEY_FILES.private, parsePrivateKey);
    if (found) return found;
    throw new KeyError(
      `${this.pathOf(KEY_FILES.private)} is missing: make the keys with "node scripts/generateKeys.mjs"`,
    );
  }

  /** The private key that signs after the next activation. */
  next(): StoredKey | undefined {
    return this.key(KEY_FILES.next, parsePrivateKey);
  }

  retired(): StoredKey[] {
    const { kid } = this.signing();
    return fs
      .readdirSync(this.dir)
      .filter(isRetiredFile)
      .sort()
      .flatMap((file) => this.key(file, parsePublicKey) ?? [])
      .filter((retired) => retired.kid !== kid);
  }

  /** May not belong to the signing key during an activation. */
  public(): StoredKey | undefined {
    return this.key(KEY_FILES.public, parsePublicKey);
  }

  /**
   * When a key began to sign, in milliseconds since 1970. A key that was never activated has signed since
   * its file was made.
   */
  signingSince(kid: string): number {
    const { activatedAt } = this.times()[kid] ?? {};
    if (activatedAt !== undefined) return Date.parse(activatedAt);
    return fs.statSync(this.pathOf(KEY_FILES.private)).mtimeMs;
  }

  times(): KeyTimes {
    const text = this.read(TIMES_FILE);
    if (text === undefined) return {};
    try {
      return timesSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new KeyError(
        `${this.pathOf(TIMES_FILE)} is not valid: correct or remove it; without it the waits start again`,
        { cause },
      );
    }
  }

  /** Adds times, and drops those of keys that no longer exist. */
  record(additions: KeyTimes): void {
    const times = this.times();
    const kids = [this.signing(), this.next(), ...this.retired()].flatMap((key) => key?.kid ?? []);
    const entries = kids.map((kid) => [kid, { ...times[kid], ...additions[kid] }] as const);
    this.replace(TIMES_FILE, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
  }

  /** Writes a private key with the mode of the signing key. The file must not exist. */
  add(file: string, key: KeyObject): void {
    const { mode } = fs.statSync(this.pathOf(KEY_FILES.private));
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const unfinished = this.write(pem, mode & 0o777);
    try {
      fs.linkSync(unfinished, this.pathOf(file));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      throw new KeyError(`${this.pathOf(file)} was just created by another command`, { cause });
    } finally {
      fs.unlinkSync(unfinished);
    }
    this.sync();
  }

  /** Writes the public part of a key, readable by everyone. */
  replaceKey(file: string, key: KeyObject): void {
    const publicKey = key.type === 'public' ? key : createPublicKey(key);
    this.replace(file, publicKey.export({ type: 'spki', format: 'pem' }).toString());
  }

  rename(from: string, to: string): void {
    fs.renameSync(this.pathOf(from), this.pathOf(to));
    this.sync();
  }

  remove(file: string): void {
    fs.unlinkSync(this.pathOf(file));
    this.sync();
  }

  has(file: string): boolean {
    return fs.existsSync(this.pathOf(file));
  }

  /** Removes the temporary files of a killed command. */
  sweep(): void {
    if (!fs.existsSync(this.dir)) return;
    for (const file of fs.readdirSync(this.dir).filter((name) => UNFINISHED.test(name)))
      this.remove(file);
  }

  private replace(file: string, content: string): void {
    fs.renameSync(this.write(content, 0o644), this.pathOf(file));
    this.sync();
  }

  /** Writes a temporary file with the owner of the signing key, so that the service can read it. */
  private write(content: string, mode: number): string {
    const file = this.pathOf(`.rotate-${randomBytes(8).toString('hex')}.tmp`);
    const descriptor = fs.openSync(file, 'wx', 0o600);
    try {
      fs.writeFileSync(descriptor, content);
      const { uid, gid } = fs.statSync(this.pathOf(KEY_FILES.private));
      if (process.getuid?.() === 0) fs.fchownSync(descriptor, uid, gid);
      fs.fchmodSync(descriptor, mode);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    return file;
  }

  /** A rename is on disk only after fsync of the folder, which Windows does not have. */
  private sync(): void {
    if (process.platform === 'win32') return;
    const descriptor = fs.openSync(this.dir, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  private key(
    file: string,
    parse: (name: string, pem: string) => KeyObject,
  ): StoredKey | undefined {
    const pem = this.read(file);
    if (pem === undefined) return undefined;
    const key = parse(this.pathOf(file), pem);
    const publicKey = key.type === 'public' ? key : createPublicKey(key);
    return { file, key, kid: publicJwk(publicKey).kid };
  }

  private read(file: string): string | undefined {
    try {
      return fs.readFileSync(this.pathOf(file), 'utf8');
    } catch (cause) {
      const { code = '' } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new KeyError(`${this.pathOf(file)} cannot be read (${code})`, { cause });
    }
  }

  private pathOf(file: string): string {
    return path.join(this.dir, file);
  }
}
