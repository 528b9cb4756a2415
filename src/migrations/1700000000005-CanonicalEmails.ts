import { domainToASCII } from 'node:url';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const BATCH = 1_000;

interface Account {
  id: number;
  email: string;
}

/** The canonical form at the time of this migration: a later change of the rule needs another one. */
function canonical(email: string): string {
  const at = email.lastIndexOf('@');
  return `${folded(email.slice(0, at))}@${domainToASCII(email.slice(at + 1))}`;
}

function folded(text: string): string {
  const next = text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFKC');
  return next === text ? text : folded(next);
}

/**
 * Earlier versions stored domains in Unicode, and kept apart letters such as ß and ss that are one now.
 * Their owners could no longer sign in. An account whose new form belongs to another account keeps its
 * e-mail, and its id is logged.
 */
export class CanonicalEmails1700000000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const conflicts: number[] = [];
    for (let after = 0; ;) {
      const accounts = (await queryRunner.query(
        `SELECT id, email FROM users WHERE id > $1 AND email ~ '[^\\x01-\\x7f]'
         ORDER BY id LIMIT ${BATCH}`,
        [after],
      )) as Account[];
      const last = accounts.at(-1);
      if (last === undefined) break;
      after = last.id;
      for (const { id, email } of accounts) {
        const form = canonical(email);
        // Without a domain that can be converted nobody could have received mail there.
        if (form === email || form.endsWith('@') || form.length > 254) continue;
        const [, changed] = (await queryRunner.query(
          `UPDATE users SET email = $2 WHERE id = $1
           AND NOT EXISTS (SELECT FROM users WHERE lower(email) = $2 AND id <> $1)`,
          [id, form],
        )) as [unknown, number];
        if (changed === 0) conflicts.push(id);
      }
    }
    if (conflicts.length > 0)
      process.stderr.write(
        `these users cannot sign in, because another account has their e-mail: ${conflicts.join(', ')}\n`,
      );
  }

  /** The former spelling is not known any more. Earlier versions work with the new one. */
  async down(): Promise<void> {
    // Nothing to undo in the schema.
  }
}
