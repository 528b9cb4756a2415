import { RefusalLog } from '../../src/http/RefusalLog';
import { capturingLogger, type LogLine } from '../support/capturingLogger';

describe('RefusalLog', () => {
  const refusal = { status: 400, code: 'malformed-request', requestId: 'an-id' };
  let lines: LogLine[];
  let time: number;
  let log: RefusalLog;
  beforeEach(() => {
    const { logger, logs } = capturingLogger();
    lines = logs;
    time = 1_000_000;
    log = new RefusalLog(logger, () => time);
  });

  const record = (address: string, times: number) => {
    for (let i = 0; i < times; i += 1) log.record(address, refusal);
  };
  const countOf = (address: string) =>
    lines.filter(({ ipAddress }) => ipAddress === address).length;

  it('logs an IPv4-mapped address as IPv4', () => {
    record('::ffff:192.0.2.1', 1);
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'request refused',
        event: 'request_refused',
        ipAddress: '192.0.2.1',
        ...refusal,
      },
    ]);
  });

  it('writes 30 lines a minute for each address', () => {
    record('192.0.2.1', 1_000);
    record('192.0.2.2', 5);
    expect(countOf('192.0.2.1')).toBe(30);
    expect(countOf('192.0.2.2')).toBe(5);
  });

  it('logs the number of missing lines in the next minute, and starts again', () => {
    record('192.0.2.1', 1_000);
    time += 60_000;
    record('192.0.2.1', 1);
    expect(lines.at(-2)).toMatchObject({ event: 'request_refused', count: 970 });
    expect(countOf('192.0.2.1')).toBe(31);
  });

  it('is bounded for any number of addresses', () => {
    for (let i = 0; i < 20_000; i += 1) record(`2001:db8::${i.toString(16)}`, 1);
    expect(lines).toHaveLength(10_000 + 30);
  });
});
