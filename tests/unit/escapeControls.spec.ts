import { Writable } from 'node:stream';
import fc from 'fast-check';
import { transports } from 'winston';
import { createLogger } from '../../src/config/logger';

/** A log line has no control characters, and nothing that ends a line. */
const PLAIN = /^[^\p{Cc}\u2028\u2029]*$/u;

describe('a line of the log', () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString().replace(/\r?\n$/, ''));
      done();
    },
  });
  const logger = createLogger({ logLevel: 'info', auditLogFile: undefined });
  logger.clear().add(new transports.Stream({ stream }));

  const anyText = fc.string({ unit: fc.nat(0x20ff).map((code) => String.fromCharCode(code)) });

  it('has no control characters and keeps the text', () => {
    fc.assert(
      fc.property(anyText, (path) => {
        lines.length = 0;
        logger.info('request', { path });
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(PLAIN);
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ path });
      }),
    );
  });

  it.each(['\u007f', '\u0080', '\u0085', '\u009b', '\u009f', '\u2028', '\u2029'])(
    'escapes %j',
    (character) => {
      lines.length = 0;
      logger.info('request', { path: character });
      expect(lines[0]).toMatch(PLAIN);
      expect(lines[0]).toMatch(/"path":"\\u[\da-f]{4}"/);
    },
  );
});
