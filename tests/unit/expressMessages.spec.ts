import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createLogger } from 'winston';
import { expressMessages } from '../../src/http/expressMessages';
import { createHttpServer } from '../../src/http/httpServer';

describe('expressMessages', () => {
  it('creates messages whose prototypes Express keeps', async () => {
    const app = express();
    app.get('/', (req, res) => {
      res.json({ app: req.app === app && res.app === app, query: req.query });
    });
    const prototypes: unknown[] = [];
    const listener: RequestListener = (req, res) => {
      const look = () => prototypes.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res));
      look();
      app(req, res);
      look();
    };
    const server = createHttpServer(listener, {
      ...expressMessages(app),
      environment: 'test',
      logger: createLogger({ silent: true }),
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const answer = await fetch(`http://127.0.0.1:${port}/?a=1`);
      expect(await answer.json()).toEqual({ app: true, query: { a: '1' } });
    } finally {
      server.closeAllConnections();
      server.close();
    }
    const [request, response] = prototypes;
    expect(prototypes).toHaveLength(4);
    expect(prototypes[2]).toBe(request);
    expect(prototypes[3]).toBe(response);
  });
});
