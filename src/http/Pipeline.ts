import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** In bytes: room for about 40 of the smallest requests. */
const PORTION = 1024;
const NOTHING = Buffer.alloc(0);

interface Exchange {
  req?: IncomingMessage;
  res?: ServerResponse;
  begin: (res?: ServerResponse) => void;
}

/**
 * The requests of one connection. They are handled one at a time, in their order (RFC 9112 section
 * 9.3.2), and the next ones are not parsed before.
 *
 * Node parses all that it has read at once, up to 64 KiB, and creates a request and a response object for
 * each of 2 000 requests in it, also after a pause. Some connections that do this at the same time take
 * all memory.
 */
export class Pipeline {
  private readonly parse: (bytes: Buffer) => void;
  /** The first one is being handled. */
  private readonly unanswered: Exchange[] = [];
  private latest: IncomingMessage | undefined;
  private unparsed: Buffer = NOTHING;
  private paused = false;
  private failed = false;

  /** Takes the place of the listener that Node has put on the socket. */
  constructor(private readonly socket: Socket) {
    const [parse] = socket.listeners('data') as ((bytes: Buffer) => void)[];
    if (!parse) throw new Error('the socket has no HTTP parser');
    this.parse = parse;
    socket.off('data', parse);
    socket.on('data', (bytes: Buffer) => {
      this.unparsed = this.unparsed.length === 0 ? bytes : Buffer.concat([this.unparsed, bytes]);
      this.feed();
    });
    socket.on('drain', () => {
      this.feed();
    });
  }

  /** Whether a request has arrived completely, and its client reads the response. */
  get isHandling(): boolean {
    return this.unanswered.length > 0 && !this.awaitsBody() && !this.socket.writableNeedDrain;
  }

  /** Calls `begin` when the earlier requests have their responses. */
  add(req: IncomingMessage, res: ServerResponse, begin: Exchange['begin']): void {
    this.latest = req;
    res.on('close', this.next);
    this.push({ req, res, begin });
  }

  /**
   * Calls `refuse` in place of the request that cannot be read, when the earlier requests have their
   * responses. Closes the connection instead if that request's own response has begun.
   */
  fail(refuse: Exchange['begin']): void {
    if (this.failed) return;
    this.failed = true;
    const last = this.unanswered.at(-1);
    if (!this.awaitsBody()) this.push({ begin: refuse });
    else if (last?.req !== this.latest || last?.res?.headersSent) this.socket.destroy();
    else if (this.unanswered.length === 1) refuse(last?.res);
    else if (last) last.begin = refuse;
  }

  private awaitsBody(): boolean {
    return this.latest?.complete === false;
  }

  private push(exchange: Exchange): void {
    this.unanswered.push(exchange);
    if (this.unanswered.length === 1) exchange.begin(exchange.res);
  }

  private readonly next = (): void => {
    if (!this.awaitsBody()) this.latest = undefined;
    this.unanswered.shift();
    const [first] = this.unanswered;
    if (this.socket.writable) first?.begin(first.res);
    this.feed();
  };

  private mayParse(): boolean {
    if (this.socket.writableNeedDrain) return false;
    return this.unanswered.length === 0 || (this.unanswered.length === 1 && this.awaitsBody());
  }

  private feed(): void {
    while (this.unparsed.length > 0 && !this.isOver() && this.mayParse()) {
      const portion = this.unparsed.subarray(0, PORTION);
      this.unparsed = this.unparsed.subarray(PORTION);
      this.parse(portion);
    }
    // What comes after the end is read and dropped: unread bytes would reset the last response.
    if (this.isOver()) this.unparsed = NOTHING;
    if (this.unparsed.length > 0) {
      this.paused = true;
      this.socket.pause();
    } else if (this.paused) {
      this.paused = false;
      this.socket.resume();
    }
  }

  private isOver(): boolean {
    return this.failed || !this.socket.writable;
  }
}
