/** An error whose message is one line that says what to do. */
export class ScriptError extends Error {}
