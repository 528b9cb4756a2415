import { loadKeyConfig } from '../config';
import { KeyRotation } from '../keys/KeyRotation';
import { CommandError } from './CommandError';
import { runCommand } from './runCommand';

const USAGE = 'usage: keys status | publish | activate [--force] | retire [--force]';

/** Runs one step of a key rotation. */
void runCommand((args) => {
  const force = args.includes('--force');
  const [step, ...rest] = args.filter((arg) => arg !== '--force');
  if (rest.length > 0) throw new CommandError(USAGE);
  const { keys } = loadKeyConfig();
  if (keys.privateKey !== undefined)
    throw new CommandError('the keys come from PRIVATE_KEY: there is no folder to rotate');
  const rotation = new KeyRotation(keys.dir);
  const steps = new Map([
    ['status', () => rotation.status()],
    ['publish', () => rotation.publish()],
    ['activate', () => rotation.activate({ force })],
    ['retire', () => rotation.retire({ force })],
  ]);
  const run = steps.get(step ?? '');
  if (!run) throw new CommandError(USAGE);
  return `folder   ${keys.dir}\n${run()}`;
});
