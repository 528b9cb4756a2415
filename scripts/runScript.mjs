import { ScriptError } from './ScriptError.mjs';

/**
 * Runs a script. If it fails, it prints the reason on stderr, with a stack if the error is a fault in
 * the program, and sets the exit code 1.
 * @param {() => void | Promise<void>} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    const isLine = error instanceof ScriptError || (error instanceof Error && 'syscall' in error);
    console.error(isLine ? error.message : error);
    process.exitCode = 1;
  }
}
