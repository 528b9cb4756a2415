import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** In bytes; about 40 of the smallest requests. */
const PORTION = 1024;
const NOTHING = Buffer.alloc(0);

interface Exchange {
  req?: IncomingMessage;
  res?: ServerResponse;
  begin: (res?: ServerResponse) => void;
}

/**
 * The requests of one connection, parsed and handled one at a time, in order (RFC 9112 section 9.3.2).
 *
 * Node parses up to 64 KiB at once, even on a paused socket, and creates objects for up to 2 000 requests.
 * A few such connections would use up the memory.
 */
export class Pipeline {
  private readonly parse: (bytes: Buffer) => void;
  private readonly unanswered: Exchange[] = [];
  private latest: IncomingMessage | undefined;
  private unparsed: Buffer = NOTHING;
  private paused = false;
  private failed = false;

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

  /** Whether a complete request is being handled and its client reads the response. */
  get isHandling(): boolean {
    return this.unanswered.length > 0 && !this.awaitsBody() && !this.socket.writableNeedDrain;
  }

  /** Calls `begin` after the responses to the earlier requests. */
  add(req: IncomingMessage, res: ServerResponse, begin: Exchange['begin']): void {
    this.latest = req;
    res.on('close', this.next);
    this.push({ req, res, begin });
  }

  /**
   * Calls `refuse` for a request that cannot be read, after the responses to the earlier ones. Closes the
   * connection instead if the response to that request has begun.
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
    // The rest is read and dropped: unread bytes would reset the last response.
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
