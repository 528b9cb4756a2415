/** A step of a rotation that has nothing to do, or whose time has not come. */
export class RotationError extends Error {
  override name = 'RotationError';
}
