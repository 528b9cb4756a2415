import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';

/** Replaces each `#`, so that dotenv does not stop there. */
const NOT_A_COMMENT = '\u0001';

const QUOTED_WITH_COMMENT = /^(['"`])(?:\\\1|(?!\1)[^])*\1\s*#/;

interface EnvironmentFile {
  values: Record<string, string>;
  /** What dotenv read as a comment after an unquoted value, with the white space before `#`. */
  comments: Record<string, string>;
}

/** The variables of a `.env` file, which may be absent. @throws {Error} if it cannot be read. */
export function readEnvironmentFile(file: string): EnvironmentFile {
  const text = textOf(file);
  const values = parse(text);
  const whole = parse(text.replaceAll('#', NOT_A_COMMENT));
  const comments: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    const uncut = whole[name]?.replaceAll(NOT_A_COMMENT, '#') ?? value;
    if (uncut === value || QUOTED_WITH_COMMENT.test(uncut)) continue;
    comments[name] = uncut.startsWith(value) ? uncut.slice(value.length) : '#';
  }
  return { values, comments };
}

function textOf(file: string): string {
  try {
    const bytes = readFileSync(file);
    // Notepad and PowerShell may write UTF-16, which would look like a file without variables.
    if (!isUtf8(bytes) || bytes.includes(0)) throw new Error(`${file} is not a text file in UTF-8`);
    return bytes.toString();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === 'ENOENT') return '';
    throw new Error(`${file} cannot be read (${code})`, { cause: error });
  }
}
