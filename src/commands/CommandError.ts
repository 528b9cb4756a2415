/** A command that cannot do its work; the message is for the operator and holds no secret. */
export class CommandError extends Error {
  override name = 'CommandError';
}
