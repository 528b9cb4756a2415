import type { Step } from './Step';

type Message = { step: Step } | { expire: true };

const KEPT_STEPS = 60;

/** Watches the requests of this tab and shares them with the other tabs, for the panel. */
export function createActivity() {
  const tab = crypto.randomUUID();
  const channel = new BroadcastChannel('teahouse-activity');
  const watchers = new Set<() => void>();
  let steps: readonly Step[] = [];
  let withoutTokens = false;
  let expired: () => void = () => undefined;

  const add = (step: Step) => {
    steps = [...steps, step].slice(-KEPT_STEPS);
    for (const watcher of watchers) watcher();
  };
  const expire = () => {
    withoutTokens = true;
    expired();
  };
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if ('step' in data) add(data.step);
    else expire();
  };

  async function watchedFetch(input: string | URL | Request, init?: RequestInit) {
    const request = input instanceof Request ? input : undefined;
    const { pathname } = new URL(request?.url ?? String(input), location.href);
    // Scripts cannot drop the cookie. A request without it gets the same 401 as after its expiry.
    const credentials = withoutTokens && !pathname.endsWith('/refresh') ? 'omit' : undefined;
    if (credentials) withoutTokens = false;
    const start = Date.now();
    let status: number | undefined;
    try {
      const response = await fetch(input, credentials ? { ...init, credentials } : init);
      status = response.status;
      return response;
    } finally {
      const method = init?.method ?? request?.method ?? 'GET';
      const id = crypto.randomUUID();
      const step = { id, tab, start, end: Date.now(), method, path: pathname, status };
      add(step);
      channel.postMessage({ step });
    }
  }

  return {
    tab,
    fetch: watchedFetch,
    steps: () => steps,
    watch: (watcher: () => void) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    /** Says what to do in this tab when the access token is treated as expired. */
    onExpire: (listener: () => void) => {
      expired = listener;
    },
    /** Treats the access token as expired, in all tabs at once. */
    expireEverywhere: () => {
      channel.postMessage({ expire: true });
      expire();
    },
  };
}
