import type { Express, RequestHandler } from 'express';
import type { Logger } from '../config/logger';
import { plainAddress } from '../http/clientAddress';

type Trust = (address: string | undefined, hop: number) => boolean;

/** Makes `req.ip` follow X-Forwarded-For through trusted proxies; warns once if another peer sends it. */
export function trustProxy(app: Express, setting: number | string | undefined, logger: Logger) {
  app.set('trust proxy', setting ?? false);
  const trusts = app.get('trust proxy fn') as Trust;
  if (setting !== undefined)
    app.set('trust proxy', (entry: string | undefined, hop: number) =>
      trusts(plainAddress(entry) ?? entry, hop),
    );
  let warned = false;
  const warnOnce: RequestHandler = (req, _res, next) => {
    if (!warned && req.headers['x-forwarded-for'] !== undefined) {
      const peer = plainAddress(req.socket.remoteAddress);
      if (!trusts(peer, 0)) {
        warned = true;
        logger.warn(
          'X-Forwarded-For is ignored: if the sender is your proxy, set TRUST_PROXY to its address',
          { event: 'sys_untrusted_proxy', peer },
        );
      }
    }
    next();
  };
  return warnOnce;
}
