import { errorCode } from './errorCode.mjs';

/** @param {number} pid */
export function processExists(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
