import { connect, type Socket } from 'node:net';
import { until } from '../harness/until';

/** A raw connection and what it has received. */
export class Line {
  response = '';
  closed = false;
  sent = 0;
  readonly openedAt = Date.now();
  closedAt = 0;
  private readonly socket: Socket;

  /** With `reads: false` it reads no response. */
  constructor(port: number, { reads = true } = {}) {
    this.socket = connect(port, '127.0.0.1');
    if (reads) this.socket.on('data', (chunk) => (this.response += chunk.toString()));
    else this.socket.pause();
    // A server that has closed resets a client that keeps sending.
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
      this.closedAt = Date.now();
    });
  }

  write(data: string | Buffer): this {
    this.sent += data.length;
    this.socket.write(data);
    return this;
  }

  /** Sends endlessly, as fast as the server reads. */
  pour(chunk: string | Buffer): this {
    const more = () => {
      while (!this.closed && !this.socket.destroyed) {
        this.sent += chunk.length;
        if (!this.socket.write(chunk)) {
          this.socket.once('drain', more);
          return;
        }
      }
    };
    more();
    return this;
  }

  get statuses(): number[] {
    return [...this.response.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  /** The request ids of the responses, in order. */
  get requestIds(): string[] {
    return [...this.response.matchAll(/^X-Request-Id: (.*)\r$/gim)].map(([, id = '']) => id);
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.response)?.[1]);
  }

  get problem(): Record<string, unknown> {
    return JSON.parse(this.response.slice(this.response.indexOf('\r\n\r\n') + 4)) as Record<
      string,
      unknown
    >;
  }

  /** Of the first response, by lower-case names. */
  get headers(): Record<string, string> {
    const [head = ''] = this.response.split('\r\n\r\n');
    const fields = head.matchAll(/^([\w-]+): (.*)$/gm);
    return Object.fromEntries(
      [...fields].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]),
    );
  }

  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\r$`, 'im').exec(this.response)?.[1];
  }

  async end(limit = 3_000): Promise<this> {
    await until(() => this.closed, 'the end of the connection', limit);
    return this;
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
