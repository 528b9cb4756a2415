import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

/** The code blocks of a page that say which file they are. */
const quotationsIn = (page: string) =>
  [...read(page).matchAll(/<!-- (\S+) -->\n\n```\w+\n(.*?)```\n/gs)].map(
    ([, file = '', code = '']) => ({ page, file, code }),
  );

const quotations = ['docs/service-authors.md', 'client/README.md'].flatMap(quotationsIn);

describe('the pages for developers', () => {
  it('quote the orders service', () => {
    const quoted = quotations.map(({ page, file }) => `${page}: ${file}`);
    for (const page of ['docs/service-authors.md', 'client/README.md'])
      expect(quoted).toContain(`${page}: examples/orders-service/src/server.ts`);
  });

  it.each(quotations)('quotes $file to the letter in $page', ({ file, code }) => {
    expect(code).toBe(read(file));
  });
});
