import { createHash, createPublicKey } from 'node:crypto';
import type { Config } from '../config';
import { KeyFolder } from './KeyFolder';
import { keySetOfFiles, readKeyFiles, type KeyFiles } from './keyFiles';
import { keySetOf, parsePrivateKey, parsePublicKey, type Keys, type KeySet } from './keySet';
import { KEY_POLL_INTERVAL } from './rotationTimes';
import type { Logger } from '../config/logger';

const PEM = /-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g;

/** An environment variable holds PEM as it is, with `\n` for line ends, or in base64. */
function pemOf(value: string): string {
  const text = value.includes('-----BEGIN') ? value : Buffer.from(value, 'base64').toString();
  return text.replaceAll('\\n', '\n');
}

function keySetOfEnvironment(privatePem: string, publicPems = ''): KeySet {
  const privateKey = parsePrivateKey('PRIVATE_KEY', pemOf(privatePem));
  const blocks = pemOf(publicPems).match(PEM) ?? [publicPems].filter(Boolean);
  const further = blocks.map((pem) => parsePublicKey('PUBLIC_KEYS', pem));
  return keySetOf(privateKey, createPublicKey(privateKey), further);
}

/** Identifies the files without keeping private keys in memory as text. */
const digestOf = (files: KeyFiles) =>
  createHash('sha256')
    .update(JSON.stringify([...files]))
    .digest('base64');

const kidsOf = (set: KeySet) => ({
  signing: set.signing.kid,
  verifying: [...set.verifying.keys()],
});

/**
 * The key set of a folder, kept up to date, or of the environment. An invalid set is refused with a log
 * line, and the last valid one stays. The folder is polled, because file watching silently fails on mounted
 * secrets and on network mounts.
 */
export class KeyRing implements Keys {
  private refusal: string | undefined;
  private reading = Promise.resolve();
  private since: { kid: string; at: number } | undefined;

  private constructor(
    private set: KeySet,
    private readonly dir: string | undefined,
    private digest: string,
  ) {}

  /** @throws {KeyError} if a key is missing or invalid. */
  static async open({ dir, privateKey, publicKeys }: Config['keys']): Promise<KeyRing> {
    if (privateKey !== undefined) {
      return new KeyRing(keySetOfEnvironment(privateKey, publicKeys), undefined, '');
    }
    const files = await readKeyFiles(dir);
    return new KeyRing(keySetOfFiles(dir, files), dir, digestOf(files));
  }

  get current(): KeySet {
    return this.set;
  }

  /**
   * When the current key began to sign, in milliseconds since 1970; undefined for keys from the
   * environment.
   *
   * @throws {KeyError} if the folder does not tell.
   */
  get signingSince(): number | undefined {
    if (this.dir === undefined) return undefined;
    const { kid } = this.set.signing;
    if (this.since?.kid !== kid)
      this.since = { kid, at: new KeyFolder(this.dir).signingSince(kid) };
    return this.since.at;
  }

  /** Reads the folder again; resolves when `current` is up to date or the folder was refused. */
  refresh(logger: Logger): Promise<void> {
    this.reading = this.reading.then(() => this.reread(logger));
    return this.reading;
  }

  /** Refreshes every `interval` seconds, until the returned function is called. */
  watch(logger: Logger, interval = KEY_POLL_INTERVAL): () => void {
    // One read at a time, because a mount may hang.
    let watching = true;
    const look = async () => {
      await this.refresh(logger);
      if (watching) timer.refresh();
    };
    const timer = setTimeout(() => void look(), interval * 1000).unref();
    return () => {
      watching = false;
      clearTimeout(timer);
    };
  }

  private async reread(logger: Logger): Promise<void> {
    if (this.dir === undefined) return;
    try {
      const files = await readKeyFiles(this.dir);
      const digest = digestOf(files);
      if (digest !== this.digest) {
        this.set = keySetOfFiles(this.dir, files);
        this.digest = digest;
        logger.info('keys changed', kidsOf(this.set));
      }
      this.refusal = undefined;
    } catch (error) {
      // Logged once, not at every read.
      const reason = error instanceof Error ? error.message : 'unknown';
      if (reason !== this.refusal) {
        logger.error('keys refused; the last valid ones stay in use', {
          reason,
          ...kidsOf(this.set),
        });
      }
      this.refusal = reason;
    }
  }
}
