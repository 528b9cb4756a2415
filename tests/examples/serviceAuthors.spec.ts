import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

/** The code blocks with a file name. */
const quotations = [
  ...read('docs/service-authors.md').matchAll(/<!-- (\S+) -->\n\n```\w+\n(.*?)```\n/gs),
].map(([, file = '', code = '']) => ({ file, code }));

describe('docs/service-authors.md', () => {
  it('quotes the orders service', () => {
    const files = quotations.map(({ file }) => file);
    expect(files).toContain('examples/orders-service/src/accessToken.ts');
    expect(files).toContain('examples/orders-service/src/server.ts');
  });

  it.each(quotations)('quotes $file to the letter', ({ file, code }) => {
    expect(code).toBe(read(file));
  });
});
