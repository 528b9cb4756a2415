import fs from 'node:fs';
import { familyOf } from '../../tests/harness/familyOf.js';

/** `getconf CLK_TCK`: the unit of /proc/<pid>/stat, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const onLinux = process.platform === 'linux';

/** @param {number} pid */
function cpuTicks(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may contain spaces. Fields 14 to 17, after it, are utime, stime, and both of the
    // ended children, such as PostgreSQL's backends.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    return 0;
  }
}

/**
 * CPU time that a process and its descendants have used, in seconds; NaN without /proc.
 * @param {number} pid
 */
export function cpuSeconds(pid) {
  const pids = onLinux ? familyOf(pid) : [];
  if (pids.length === 0) return NaN;
  return pids.reduce((sum, member) => sum + cpuTicks(member), 0) / TICKS_PER_SECOND;
}

/**
 * Resident memory of the largest process of a family, in MiB; NaN without /proc.
 * @param {number} pid
 */
export function residentMiB(pid) {
  const sizes = (onLinux ? familyOf(pid) : []).map((member) => {
    const status = fs.readFileSync(`/proc/${member}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  });
  return sizes.length === 0 ? NaN : Math.max(...sizes);
}
