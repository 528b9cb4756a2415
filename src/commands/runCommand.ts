import { ConfigError } from '../config/ConfigError';
import { KeyError } from '../keys/keySet';
import { RotationError } from '../keys/RotationError';
import { CommandError } from './CommandError';

const EXPECTED = [CommandError, ConfigError, KeyError, RotationError];

/**
 * Runs a command with the arguments of the process, and prints the lines it returns. If it fails, it
 * prints the reason on stderr and sets the exit code 1.
 */
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
  // The stack of an unexpected error is for whoever corrects the program.
  return isExpected ? error.message : (error.stack ?? error.message);
}
