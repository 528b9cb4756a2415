/** A change that all tabs learn of. `userId` is null after the end of the session. */
interface Change {
  userId: number | null;
  /** Someone has entered a password; otherwise the tokens of a session were renewed. */
  isLogin?: boolean;
}

type Message = Change & { at: number };

/** The part of the BroadcastChannel API that this file uses; types/node has another one. */
interface Channel {
  onmessage: ((event: { data: Message }) => void) | null;
  postMessage(message: Message): void;
  close(): void;
}

export interface SignInListeners {
  in: (event: { userId: number }) => void;
  out: () => void;
}

/** A tab that slept gets old messages when it wakes up. They do not mean that its tokens are fresh. */
const FRESH_MS = 5_000;

/** Who is signed in, as far as this tab knows. Tabs tell each other; nothing is stored. */
export class SignIn {
  /** Null after the end of the session; undefined as long as this tab does not know. */
  userId: number | null | undefined;
  /** Grows with all new tokens that this tab learns of. */
  renewals = 0;
  private channel: Channel | undefined;
  private readonly listeners = {
    in: new Set<SignInListeners['in']>(),
    out: new Set<SignInListeners['out']>(),
  };

  constructor(private readonly name: string) {}

  /** Returns a function that removes the listener. The channel is open as long as there are listeners. */
  on<E extends keyof SignInListeners>(event: E, listener: SignInListeners[E]): () => void {
    const { in: ins, out: outs } = this.listeners;
    const listeners = this.listeners[event] as Set<SignInListeners[E]>;
    listeners.add(listener);
    this.channel ??= this.open();
    return () => {
      listeners.delete(listener);
      if (ins.size + outs.size > 0) return;
      this.channel?.close();
      this.channel = undefined;
    };
  }

  /** Takes note of a change in this tab and tells the other tabs. */
  tell(change: Change): void {
    if (change.userId !== null) this.renewals += 1;
    this.learn(change);
    const channel = this.channel ?? this.open();
    channel?.postMessage({ ...change, at: Date.now() });
    if (channel !== this.channel) channel?.close();
  }

  /** Takes note of a change and calls the listeners. */
  learn({ userId, isLogin = false }: Change): void {
    const before = this.userId;
    this.userId = userId;
    // As tasks of their own, so that a listener that throws does not fail the request.
    if (userId === null) {
      if (before !== null) for (const listener of this.listeners.out) queueMicrotask(listener);
    } else if (isLogin || (before !== undefined && before !== userId)) {
      for (const listener of this.listeners.in)
        queueMicrotask(() => {
          listener({ userId });
        });
    }
  }

  private open(): Channel | undefined {
    const { BroadcastChannel } = globalThis as unknown as {
      BroadcastChannel?: new (name: string) => Channel;
    };
    const channel = BroadcastChannel && new BroadcastChannel(this.name);
    if (channel)
      channel.onmessage = ({ data: { at, ...change } }) => {
        if (change.userId !== null && Math.abs(Date.now() - at) < FRESH_MS) this.renewals += 1;
        this.learn(change);
      };
    return channel;
  }
}
