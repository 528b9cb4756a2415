import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PROJECT_ROOT } from './projectRoot';

/**
 * The content of a file that a setting names, without one line end behind it.
 *
 * @throws {Error} whose message follows the name of the setting.
 */
export function readFileSetting(file: string): string {
  const content = textOf(path.resolve(PROJECT_ROOT, file)).replace(/\r?\n$/, '');
  if (content === '') throw new Error('names an empty file');
  return content;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`names a file that cannot be read (${code})`, { cause: error });
  }
}
