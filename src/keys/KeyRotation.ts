import { generateKeyPairSync } from 'node:crypto';
import { MAX_ACCESS_TOKEN_LIFETIME } from '../config';
import { KEY_FILES, retiredFile } from './keyFileNames';
import { KeyFolder, type KeyTimes } from './KeyFolder';
import { KeyError } from './keySet';
import { RotationError } from './RotationError';
import { JWKS_MAX_AGE, PICK_UP_TIME } from './rotationTimes';

const iso = (time: number) => new Date(time).toISOString();

const activatableFrom = (publishedAt: string) =>
  Date.parse(publishedAt) + (JWKS_MAX_AGE + PICK_UP_TIME) * 1000;

const retirableFrom = (supersededAt: string) =>
  Date.parse(supersededAt) + (MAX_ACCESS_TOKEN_LIFETIME + PICK_UP_TIME) * 1000;

/**
 * Replaces the signing key in three steps without a failed verification: publish, activate, retire. Each
 * returns a line for the operator. One operator at a time.
 *
 * Each change leaves a usable set, and the next step finishes an interrupted one. Times are in keys.json,
 * because file times do not survive a copy or a mounted secret. A time is written after its change, and a
 * missing one counts as now, so a wait may be too long but never too short.
 */
export class KeyRotation {
  private readonly folder: KeyFolder;

  constructor(
    private readonly dir: string,
    private readonly now: () => number = Date.now,
  ) {
    this.folder = new KeyFolder(dir);
  }

  /** Creates the next key and publishes its public part. @throws {RotationError} if there is one already. */
  publish(): string {
    this.finishInterrupted();
    if (this.folder.next())
      throw new RotationError(`there is already a next key in ${this.dir}: activate it first`);
    const { modulusLength = 2048 } = this.folder.signing().key.asymmetricKeyDetails ?? {};
    this.folder.add(KEY_FILES.next, generateKeyPairSync('rsa', { modulusLength }).privateKey);
    const { kid } = this.requireNext();
    const publishedAt = iso(this.now());
    this.folder.record({ [kid]: { publishedAt } });
    return `published ${kid}; it can be activated from ${iso(activatableFrom(publishedAt))}`;
  }

  /**
   * Makes the next key sign; the previous one still verifies. `force` skips the wait.
   * @throws {RotationError} if there is no next key, or verifiers may not know it yet.
   */
  activate({ force = false } = {}): string {
    this.finishInterrupted();
    const next = this.requireNext();
    const { publishedAt = iso(this.now()) } = this.folder.times()[next.kid] ?? {};
    const from = activatableFrom(publishedAt);
    if (!force && this.now() < from)
      throw new RotationError(`verifiers may not know ${next.kid} yet: wait until ${iso(from)}`);

    const old = this.folder.signing();
    this.folder.replaceKey(retiredFile(old.kid), old.key);
    this.folder.rename(KEY_FILES.next, KEY_FILES.private);
    this.folder.replaceKey(KEY_FILES.public, next.key);
    const time = iso(this.now());
    this.folder.record({ [old.kid]: { supersededAt: time }, [next.kid]: { activatedAt: time } });
    return `${next.kid} signs; ${old.kid} can be retired from ${iso(retirableFrom(time))}`;
  }

  /**
   * Removes the retired keys whose last token has expired; with `force` all of them.
   * @throws {RotationError} if there is no retired key, or all may still have valid tokens.
   */
  retire({ force = false } = {}): string {
    this.finishInterrupted();
    const times = this.folder.times();
    const retired = this.folder.retired().map(({ kid, file }) => {
      const { supersededAt = iso(this.now()) } = times[kid] ?? {};
      return { kid, file, from: retirableFrom(supersededAt) };
    });
    if (retired.length === 0) throw new RotationError(`there is no retired key in ${this.dir}`);
    const due = retired.filter(({ from }) => force || this.now() >= from);
    if (due.length === 0) {
      const first = Math.min(...retired.map(({ from }) => from));
      throw new RotationError(
        `tokens of the retired key may still be valid: wait until ${iso(first)}`,
      );
    }
    for (const { file } of due) this.folder.remove(file);
    this.folder.record({});
    return `retired ${due.map(({ kid }) => kid).join(', ')}`;
  }

  /** The keys of the folder, and when each step is possible. */
  status(): string {
    const times = this.folder.times();
    const signing = this.folder.signing();
    const next = this.folder.next();
    const activatedAt = times[signing.kid]?.activatedAt;
    const lines = [`signs    ${signing.kid}${activatedAt ? ` since ${activatedAt}` : ''}`];
    const unknown = 'at an unknown time: the next step sets it';
    if (next) {
      const time = times[next.kid]?.publishedAt;
      const when = time && `${time}, can be activated from ${iso(activatableFrom(time))}`;
      lines.push(`next     ${next.kid} published ${when ?? unknown}`);
    }
    for (const { kid } of this.folder.retired()) {
      const time = times[kid]?.supersededAt;
      const when = time && `${time}, can be retired from ${iso(retirableFrom(time))}`;
      lines.push(`retired  ${kid} superseded ${when ?? unknown}`);
    }
    return lines.join('\n');
  }

  private requireNext() {
    const next = this.folder.next();
    if (next) return next;
    throw new RotationError(`there is no next key in ${this.dir}: publish one first`);
  }

  private finishInterrupted(): void {
    const { folder } = this;
    folder.sweep();
    const signing = folder.signing();
    this.repairPublicKey();
    // From an activation that was interrupted before it changed the signing key.
    const leftover = retiredFile(signing.kid);
    if (folder.has(leftover)) folder.remove(leftover);

    const times = folder.times();
    const missing: KeyTimes = {};
    const now = iso(this.now());
    const next = folder.next();
    if (next && !times[next.kid]?.publishedAt) missing[next.kid] = { publishedAt: now };
    for (const { kid } of folder.retired())
      if (!times[kid]?.supersededAt) missing[kid] = { supersededAt: now };
    if (Object.keys(missing).length > 0) folder.record(missing);
  }

  private repairPublicKey(): void {
    const { folder } = this;
    const signing = folder.signing();
    const kid = folder.public()?.kid;
    if (kid === signing.kid) return;
    // Neither the signing key nor a retired one: a mistake that must not be hidden.
    if (kid !== undefined && !folder.retired().some((retired) => retired.kid === kid))
      throw new KeyError(
        `${KEY_FILES.public} in ${this.dir} does not belong to ${KEY_FILES.private}`,
      );
    folder.replaceKey(KEY_FILES.public, signing.key);
  }
}
