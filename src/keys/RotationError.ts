/** A rotation step that has nothing to do, or comes too early. */
export class RotationError extends Error {
  override name = 'RotationError';
}
