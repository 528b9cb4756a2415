const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether the value has the form of a session id: PostgreSQL fails on any other form. */
export const isSessionId = (value: unknown): value is string =>
  typeof value === 'string' && UUID_SHAPE.test(value);
