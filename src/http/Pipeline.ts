import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Unanswered requests of one connection. A read brings up to 64 KiB, and the parser emits every request
 * in it before a pause takes effect: 64 requests of a browser's size, and 2 000 of an attacker's.
 */
const MAX_UNANSWERED = 64;

interface Exchange {
  req?: IncomingMessage;
  res?: ServerResponse;
  begin: (res?: ServerResponse) => void;
}

/**
 * The requests of one connection. They are handled one at a time, in their order (RFC 9112 section
 * 9.3.2), so that a client that pipelines and reads nothing costs no more than one that waits.
 */
export class Pipeline {
  /** The first one is being handled. */
  private readonly unanswered: Exchange[] = [];
  /** A request whose body has not arrived completely. */
  private incomplete: IncomingMessage | undefined;
  private failed = false;

  constructor(private readonly socket: Socket) {}

  /** Calls `begin` when the earlier requests have their responses. Returns false if too many wait. */
  add(req: IncomingMessage, res: ServerResponse, begin: Exchange['begin']): boolean {
    this.incomplete = req;
    res.once('close', () => {
      this.next();
    });
    this.push({ req, res, begin });
    return this.unanswered.length <= MAX_UNANSWERED;
  }

  /**
   * Calls `refuse` in place of the request that cannot be read, when the earlier requests have their
   * responses. Closes the connection instead if part of that request's own response is out.
   */
  fail(refuse: Exchange['begin']): void {
    if (this.failed) return;
    this.failed = true;
    const last = this.unanswered.at(-1);
    if (this.incomplete === undefined || this.incomplete.complete) this.push({ begin: refuse });
    else if (last?.req !== this.incomplete || last.res?.headersSent) this.socket.destroy();
    else if (this.unanswered.length === 1) refuse(last.res);
    else last.begin = refuse;
  }

  private push(exchange: Exchange): void {
    this.unanswered.push(exchange);
    if (this.unanswered.length === 1) exchange.begin(exchange.res);
    // No more than the rest of this read is held in memory then.
    else this.socket.pause();
  }

  private next(): void {
    if (this.incomplete?.complete) this.incomplete = undefined;
    this.unanswered.shift();
    const [first] = this.unanswered;
    if (first === undefined || !this.socket.writable) return;
    if (this.unanswered.length === 1) this.socket.resume();
    first.begin(first.res);
  }
}
