/**
 * Moves the signing keys along without a failed verification anywhere.
 *
 *   npm run keys:rotate -- status
 *   npm run keys:rotate -- publish             a next key is made, and verifiers get to know it
 *   npm run keys:rotate -- activate [--force]  the next key signs; the one before still verifies
 *   npm run keys:rotate -- retire [--force]    keys whose last token has expired are forgotten
 *
 * The folder is certs/, or CERTS_DIR. The times are in its keys.json by kid: unlike those of the
 * files they survive a copy, a backup and a mounted secret. One operator at a time.
 *
 * Each step is one atomic change after which the folder holds a usable set, so it can be cut short
 * anywhere; the next command finishes it. A time is written after the change that it is about, and
 * one that is not there counts from now: a wait can become longer than needed, never shorter.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { certsDir } from './generateKeys.mjs';

const USAGE =
  'usage: npm run keys:rotate -- status | publish | activate [--force] | retire [--force]';

/** How long verifiers may keep the JWK set: the Cache-Control of src/routes/well-known.ts. */
const JWKS_MAX_AGE = 300;
/** The life of an access token: accessLifetime in src/config/index.ts. */
const ACCESS_TOKEN_LIFETIME = 3600;
/** How long replicas may take to notice a change: two looks of src/keys/KeyRing.ts. */
const PICK_UP = 10;

/** An error whose message is one line for the person at the terminal. */
export class RotationError extends Error {
  name = 'RotationError';
}

/**
 * @typedef {object} Times ISO 8601, UTC
 * @property {string} [publishedAt]
 * @property {string} [activatedAt]
 * @property {string} [supersededAt]
 *
 * @typedef {object} Options
 * @property {string} [dir]
 * @property {boolean} [force] do not wait
 * @property {() => number} [now] milliseconds since 1970
 */

/**
 * Makes the next key and publishes its public part.
 *
 * @param {Options} [options]
 * @returns {string} what was done, in one line
 * @throws {RotationError} where there is a next key already
 */
export function publish({ dir = certsDir(), now = Date.now } = {}) {
  const folder = openFolder(dir, now);
  if (folder.next()) throw new RotationError('there is a next key already: activate it first');
  const { modulusLength } = folder.signing().key.asymmetricKeyDetails;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
  folder.add('next.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const { kid } = folder.next();
  const publishedAt = now();
  folder.record({ [kid]: { publishedAt: iso(publishedAt) } });
  return `published ${kid}; it can be activated from ${iso(activatable(publishedAt))}`;
}

/**
 * Lets the next key sign; the one that signed so far goes on verifying.
 *
 * @param {Options} [options]
 * @returns {string}
 * @throws {RotationError} where there is none, or verifiers may not know it yet
 */
export function activate({ dir = certsDir(), force = false, now = Date.now } = {}) {
  const folder = openFolder(dir, now);
  const next = folder.next();
  if (!next) throw new RotationError('there is no next key: publish one first');
  const from = activatable(parseTime(folder.times()[next.kid].publishedAt));
  if (!force && now() < from) {
    throw new RotationError(`verifiers may not know ${next.kid} yet: wait until ${iso(from)}`);
  }

  const old = folder.signing();
  folder.replace(retiredFile(old.kid), publicPem(old.key));
  folder.rename('next.pem', 'private.pem');
  folder.replace('public.pem', publicPem(next.key));
  const time = now();
  folder.record({ [old.kid]: { supersededAt: iso(time) }, [next.kid]: { activatedAt: iso(time) } });
  return `${next.kid} signs; ${old.kid} can be retired from ${iso(retirable(time))}`;
}

/**
 * Removes the retired keys whose last token has expired, with `force` all retired keys.
 *
 * @param {Options} [options]
 * @returns {string}
 * @throws {RotationError} where there is none, or none whose time has come
 */
export function retire({ dir = certsDir(), force = false, now = Date.now } = {}) {
  const folder = openFolder(dir, now);
  const times = folder.times();
  const retired = folder.retired().map(({ kid, file }) => {
    return { kid, file, from: retirable(parseTime(times[kid].supersededAt)) };
  });
  if (retired.length === 0) throw new RotationError('there is no retired key');
  const due = retired.filter(({ from }) => force || now() >= from);
  if (due.length === 0) {
    const first = Math.min(...retired.map(({ from }) => from));
    throw new RotationError(`tokens of the retired key may be alive: wait until ${iso(first)}`);
  }
  for (const { file } of due) folder.remove(file);
  folder.record({});
  return `retired ${due.map(({ kid }) => kid).join(', ')}`;
}

/**
 * Says what the folder holds and what can be done when; changes nothing.
 *
 * @param {Options} [options]
 * @returns {string}
 */
export function status({ dir = certsDir() } = {}) {
  const folder = new Folder(dir);
  const times = folder.times();
  const signing = folder.signing();
  const next = folder.next();
  const known = (time, then) =>
    time ? then(time) : 'at an unknown time: the next command notes it';
  return [
    `signs    ${signing.kid}${times[signing.kid]?.activatedAt ? ` since ${times[signing.kid].activatedAt}` : ''}`,
    ...(next ? [next] : []).map(({ kid }) => {
      const when = known(
        times[kid]?.publishedAt,
        (time) => `${time}, can be activated from ${iso(activatable(parseTime(time)))}`,
      );
      return `next     ${kid} published ${when}`;
    }),
    ...folder.retired().map(({ kid }) => {
      const when = known(
        times[kid]?.supersededAt,
        (time) => `${time}, can be retired from ${iso(retirable(parseTime(time)))}`,
      );
      return `retired  ${kid} superseded ${when}`;
    }),
  ].join('\n');
}

const activatable = (publishedAt) => publishedAt + (JWKS_MAX_AGE + PICK_UP) * 1000;
const retirable = (supersededAt) => supersededAt + (ACCESS_TOKEN_LIFETIME + PICK_UP) * 1000;

const iso = (time) => new Date(time).toISOString();

const retiredFile = (kid) => `retired.${kid}.pem`;

const publicOf = (key) => (key.type === 'public' ? key : createPublicKey(key));

const publicPem = (key) => publicOf(key).export({ type: 'spki', format: 'pem' });

/** A time of keys.json; one that cannot be read must not pass for one long ago. */
function parseTime(text) {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new RotationError(`keys.json holds a time that is none: ${text}`);
  return time;
}

/** RFC 7638 section 3. */
function kidOf(key) {
  const { n, e } = publicOf(key).export({ format: 'jwk' });
  return createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
}

/** The folder, with all that a command was cut short of finished. */
function openFolder(dir, now) {
  const folder = new Folder(dir);
  folder.sweep();
  const signing = folder.signing();
  if (folder.kidOfPublicPem() !== signing.kid) folder.replace('public.pem', publicPem(signing.key));
  // Noted as retired by an activation that did not come to pass.
  folder.removeIfThere(retiredFile(signing.kid));

  const times = folder.times();
  const unknown = {};
  const next = folder.next();
  if (next && !times[next.kid]?.publishedAt) unknown[next.kid] = { publishedAt: iso(now()) };
  for (const { kid } of folder.retired()) {
    if (!times[kid]?.supersededAt) unknown[kid] = { supersededAt: iso(now()) };
  }
  if (Object.keys(unknown).length > 0) folder.record(unknown);
  return folder;
}

/** The key files and keys.json; every change is atomic and on the disk when its method returns. */
class Folder {
  /** @param {string} dir */
  constructor(dir) {
    this.dir = dir;
  }

  /** The key that signs. */
  signing() {
    const found = this.#key('private.pem', createPrivateKey);
    if (found) return found;
    throw new RotationError(
      `${this.#path('private.pem')} is missing: make the keys with "node scripts/generateKeys.mjs"`,
    );
  }

  /** The private key that will sign next, or undefined. */
  next() {
    return this.#key('next.pem', createPrivateKey);
  }

  /** The public keys that signed before. */
  retired() {
    return fs
      .readdirSync(this.dir)
      .filter((file) => /^retired\..+\.pem$/.test(file))
      .sort()
      .map((file) => this.#key(file, createPublicKey))
      .filter(({ kid }) => kid !== this.signing().kid);
  }

  /**
   * The kid of public.pem, which must be known: what is neither the signing key nor a retired one
   * is somebody's mistake, and not ours to overwrite.
   */
  kidOfPublicPem() {
    const found = this.#key('public.pem', createPublicKey);
    const known = [this.signing(), ...this.retired()].map(({ kid }) => kid);
    if (!found || known.includes(found.kid)) return found?.kid;
    throw new RotationError(`${this.#path('public.pem')} does not belong to private.pem`);
  }

  /** @returns {Record<string, Times>} by kid */
  times() {
    const text = this.#read('keys.json');
    if (text === undefined) return {};
    try {
      return JSON.parse(text);
    } catch {
      throw new RotationError(
        `${this.#path('keys.json')} is not JSON: mend or remove it; without it the waits begin anew`,
      );
    }
  }

  /**
   * Notes times, and forgets those of keys that are gone.
   * @param {Record<string, Times>} additions
   */
  record(additions) {
    const times = this.times();
    const kids = [this.signing(), this.next(), ...this.retired()].flatMap((key) => key?.kid ?? []);
    const entries = kids.map((kid) => [kid, { ...times[kid], ...additions[kid] }]);
    this.replace('keys.json', `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
  }

  /** Writes a private key under a name that must not be taken. */
  add(file, content) {
    const { mode } = fs.statSync(this.#path('private.pem'));
    const unfinished = this.#write(content, mode & 0o777);
    try {
      fs.linkSync(unfinished, this.#path(file));
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      throw new RotationError(`${this.#path(file)} was just made by somebody else`);
    } finally {
      fs.unlinkSync(unfinished);
    }
    this.#sync();
  }

  /** Writes a file that everybody may read, whether it is there or not. */
  replace(file, content) {
    fs.renameSync(this.#write(content, 0o644), this.#path(file));
    this.#sync();
  }

  rename(from, to) {
    fs.renameSync(this.#path(from), this.#path(to));
    this.#sync();
  }

  remove(file) {
    fs.unlinkSync(this.#path(file));
    this.#sync();
  }

  removeIfThere(file) {
    if (this.#read(file) !== undefined) this.remove(file);
  }

  /** Removes what a killed command left unfinished. */
  sweep() {
    if (!fs.existsSync(this.dir)) return;
    const unfinished = fs.readdirSync(this.dir).filter((file) => /^\.rotate-.*\.tmp$/.test(file));
    for (const file of unfinished) this.remove(file);
  }

  /** On the disk under a name of no meaning, with the owner of private.pem: the service reads it. */
  #write(content, mode) {
    const file = this.#path(`.rotate-${randomBytes(8).toString('hex')}.tmp`);
    const descriptor = fs.openSync(file, 'wx', 0o600);
    try {
      fs.writeFileSync(descriptor, content);
      const { uid, gid } = fs.statSync(this.#path('private.pem'));
      if (process.getuid?.() === 0) fs.fchownSync(descriptor, uid, gid);
      fs.fchmodSync(descriptor, mode);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    return file;
  }

  /** A rename is on the disk when its folder is; Windows has no such call. */
  #sync() {
    if (process.platform === 'win32') return;
    const descriptor = fs.openSync(this.dir, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  #key(file, parse) {
    const pem = this.#read(file);
    if (pem === undefined) return undefined;
    try {
      const key = parse(pem);
      return { file, key, kid: kidOf(key) };
    } catch {
      throw new RotationError(`${this.#path(file)} is not an RSA key in PEM form`);
    }
  }

  #read(file) {
    try {
      return fs.readFileSync(this.#path(file), 'utf8');
    } catch (error) {
      if (error.code === 'ENOENT') return undefined;
      throw new RotationError(`${this.#path(file)} cannot be read (${error.code})`);
    }
  }

  #path(file) {
    return path.join(this.dir, file);
  }
}

const COMMANDS = { status, publish, activate, retire };

function main() {
  const args = process.argv.slice(2);
  const force = args.includes('--force');
  const [command, ...rest] = args.filter((arg) => arg !== '--force');
  if (!Object.hasOwn(COMMANDS, command ?? '') || rest.length > 0) throw new RotationError(USAGE);
  console.log(COMMANDS[command]({ force }));
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof RotationError) && !error.syscall) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
