import { ConfigError } from '../config/ConfigError';
import { KeyError } from '../keys/keySet';
import { RotationError } from '../keys/RotationError';
import { CommandError } from './CommandError';

const EXPECTED = [CommandError, ConfigError, KeyError, RotationError];

/** Prints the lines that the command returns; if it fails, the reason on stderr with exit code 1. */
export async function runCommand(
  command: (args: string[]) => string | Promise<string>,
): Promise<void> {
  try {
    process.stdout.write(`${await command(process.argv.slice(2))}\n`);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected = EXPECTED.some((type) => error instanceof type) || 'syscall' in error;
  // An unexpected error is a bug, so its stack is useful.
  return isExpected ? error.message : (error.stack ?? error.message);
}
