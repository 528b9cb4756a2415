import { createHash, createPublicKey } from 'node:crypto';
import type { Config } from '../config';
import { keySetOfFiles, readKeyFiles, type KeyFiles } from './keyFiles';
import { keySetOf, parsePrivateKey, parsePublicKey, type Keys, type KeySet } from './keySet';
import { KEY_POLL_INTERVAL } from './rotationTimes';
import type { Logger } from '../config/logger';

const PEM = /-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g;

/** PEM as it comes through an environment: as it is, with `\n` for its line ends, or in base64. */
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

/** Tells one state of the folder from another, and keeps no private key in memory as text. */
const digestOf = (files: KeyFiles) =>
  createHash('sha256')
    .update(JSON.stringify([...files]))
    .digest('base64');

const kidsOf = (set: KeySet) => ({
  signing: set.signing.kid,
  verifying: [...set.verifying.keys()],
});

/**
 * The key set of a folder, kept up to date, or the one that the environment holds.
 *
 * A set that is broken or half written is refused, with a line in the log, and the last sound one
 * stays. The folder is polled: watching fails without a word on mounted secrets, whose files are
 * symbolic links swapped as a whole, and on network mounts.
 */
export class KeyRing implements Keys {
  private refusal: string | undefined;
  private reading = Promise.resolve();

  private constructor(
    private set: KeySet,
    private readonly dir: string | undefined,
    private digest: string,
  ) {}

  /** @throws {KeyError} where a key is missing or unsound. */
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

  /** Reads the folder again; resolves when `current` is what it holds, or it has been refused. */
  refresh(logger: Logger): Promise<void> {
    this.reading = this.reading.then(() => this.reread(logger));
    return this.reading;
  }

  /** Reads the folder again every few seconds, until the returned function is called. */
  watch(logger: Logger, interval = KEY_POLL_INTERVAL): () => void {
    // One look at a time: a folder on a mount that hangs must not pile them up.
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
      // Tried again at each look, but said once.
      const reason = error instanceof Error ? error.message : 'unknown';
      if (reason !== this.refusal) {
        logger.error('keys refused, the last sound ones stay', { reason, ...kidsOf(this.set) });
      }
      this.refusal = reason;
    }
  }
}
