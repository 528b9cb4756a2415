import { readFileSync } from 'node:fs';
import path from 'node:path';

const read = (file: string) => readFileSync(path.resolve(__dirname, '..', file), 'utf8');

describe('the command that starts the built service', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  // cmd.exe has no exec and runs what follows. In sh, exec passes signals on and nothing follows.
  const [, command = ''] = /^exec (.+) \|\| \1$/.exec(scripts.start) ?? [];

  it('is the same in npm start, in the image and in the docs', () => {
    expect(command).toMatch(/^node (?:--\S+ )+dist\/server\.js$/);
    expect(read('docker/prod/Dockerfile')).toContain(
      `CMD ${JSON.stringify(command.split(' ')).replaceAll(',', ', ')}`,
    );
    expect(read('docs/operations.md')).toContain(`\n${command}\n`);
  });
});
