const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether the value has the form of a session id; PostgreSQL reports any other form as an error (22P02). */
export const isSessionId = (value: unknown): value is string =>
  typeof value === 'string' && UUID_SHAPE.test(value);
