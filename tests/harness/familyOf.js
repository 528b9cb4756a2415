const { spawnSync } = require('node:child_process');
const fs = require('node:fs');

/**
 * A process and all its descendants, parents first; empty if it has ended.
 *
 * @param {number} pid
 * @returns {number[]}
 */
function familyOf(pid) {
  const children = process.platform === 'linux' ? childrenInProc(pid) : childrenByPs(pid);
  return children === undefined ? [] : [pid, ...children.flatMap(familyOf)];
}

/** @param {number} pid */
function childrenInProc(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function childrenByPs(pid) {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  if (!pairs.some(([, child]) => child === pid)) return undefined;
  return pairs.flatMap(([parent, child]) => (parent === pid && child ? [child] : []));
}

module.exports = { familyOf };
