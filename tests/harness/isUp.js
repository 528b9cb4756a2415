/**
 * Whether a process with this id exists.
 *
 * @param {number} pid
 */
function isUp(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

module.exports = { isUp };
