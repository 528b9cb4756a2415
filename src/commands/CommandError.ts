/** A command fails; the message is for the operator and contains no secret. */
export class CommandError extends Error {
  override name = 'CommandError';
}
