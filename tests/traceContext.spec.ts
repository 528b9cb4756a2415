import type { Test } from 'supertest';
import { aUser, clientOf } from './support/client';
import { startService, type TestService } from './support/service';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  /** The lines that a request has caused. */
  const linesOf = async (request: Test) => {
    const before = service.logs.length;
    const { headers } = await request;
    return service.logs
      .slice(before)
      .filter(({ requestId }) => requestId === headers['x-request-id']);
  };
  const register = () => clientOf(service).register(aUser());

  it.each([
    `00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-00`,
    `cc-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-what-the-future-will-be`,
  ])('%s is in each line of the request', async (header) => {
    const lines = await linesOf(register().set('traceparent', header));
    expect(lines.map(({ message }) => message).sort()).toEqual(['request', 'security event']);
    for (const line of lines) expect(line).toMatchObject({ traceId: TRACE, spanId: SPAN });
  });

  it.each([
    'nonsense',
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ])('%s is ignored', async (header) => {
    const lines = await linesOf(register().set('traceparent', header));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toHaveProperty('traceId');
      expect(line).not.toHaveProperty('spanId');
    }
  });
});
