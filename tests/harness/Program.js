const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const { onExit } = require('signal-exit');
const { childEnvironment } = require('./childEnvironment');
const { ROOT } = require('./root');
const { until } = require('./until');

/** Between SIGTERM and SIGKILL, in milliseconds; the service drains for at most 9 s. */
const PATIENCE = 10_000;

/** A program that runs beside this process. It is killed when this process ends. */
class Program {
  #output = '';
  /** @type {string | undefined} */
  #logFile;

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {object} [options]
   * @param {NodeJS.ProcessEnv} [options.env] in addition to what any program needs
   * @param {string} [options.cwd] default: the root folder of the project
   * @param {string} [options.logFile] gets the output, which then costs this process nothing
   * @param {boolean} [options.ipc] with a message channel, for a Node program
   * @param {boolean} [options.group] in a new process group, as a terminal starts it
   * @param {{ uid: number, gid: number }} [options.user] default: the user of this process
   */
  constructor(
    command,
    args,
    { env = {}, cwd = ROOT, logFile, ipc = false, group = false, user } = {},
  ) {
    this.#logFile = logFile;
    const output = logFile === undefined ? 'pipe' : fs.openSync(logFile, 'a');
    this.child = spawn(command, args, {
      cwd,
      env: childEnvironment(env),
      detached: group,
      ...(user && { uid: user.uid, gid: user.gid }),
      stdio: ['pipe', output, output, ...(ipc ? [/** @type {const} */ ('ipc')] : [])],
    });
    if (typeof output === 'number') fs.closeSync(output);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk) => (this.#output += String(chunk)));

    /** @type {Promise<number | null>} the exit code; null: a signal ended it */
    this.exited = once(this.child, 'exit').then(([code]) => code);
    const kill = () => {
      if (group) process.kill(-this.pid, 'SIGKILL');
      else this.child.kill('SIGKILL');
    };
    const forget = onExit(kill);
    this.exited.then(forget, forget);
  }

  get pid() {
    if (this.child.pid === undefined) throw new Error(`cannot start ${this.child.spawnfile}`);
    return this.child.pid;
  }

  get isUp() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Everything that it has printed, on both outputs. */
  get output() {
    return this.#logFile === undefined ? this.#output : fs.readFileSync(this.#logFile, 'utf8');
  }

  /**
   * Waits until a condition is true, but no longer than the program runs.
   *
   * @param {() => unknown} condition
   * @param {string} what
   * @param {number} [limit] in milliseconds
   * @throws {Error} with the end of the output
   */
  async until(condition, what, limit = 30_000) {
    let isTrue = false;
    const attempt = async () => (isTrue = Boolean(await condition()));
    await until(async () => (await attempt()) || !this.isUp, what, limit).catch(() => undefined);
    if (isTrue) return;
    // Rejects if it cannot be started.
    if (!this.isUp) await this.exited;
    const reason = this.isUp ? `not within ${limit} ms` : 'the program has ended';
    throw new Error(`${what}: ${reason}:\n${this.output.slice(-2_000)}`);
  }

  /**
   * Waits until it has printed something.
   *
   * @param {RegExp} pattern
   */
  async printed(pattern) {
    await this.until(() => pattern.test(this.output), pattern.source);
    return /** @type {RegExpExecArray} */ (pattern.exec(this.output));
  }

  /**
   * Waits until an address responds with a status.
   *
   * @param {string} url
   * @param {number} [status] default: any
   */
  async responds(url, status) {
    await this.until(async () => {
      const response = await fetch(url);
      await response.arrayBuffer();
      return status === undefined || response.status === status;
    }, `a response of ${url}`);
  }

  /**
   * Sends a signal and resolves to the exit code. A program that does not end is killed.
   *
   * @param {NodeJS.Signals} [signal]
   */
  async stop(signal = 'SIGTERM') {
    if (this.isUp) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}

module.exports = { Program };
