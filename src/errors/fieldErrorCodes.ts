/** What can be wrong with a field of a request: the `code` of an error that has a `path`. */
export const FIELD_ERROR_CODES = [
  'required',
  'blank',
  'wrong-type',
  'too-short',
  'too-long',
  'invalid-characters',
  'invalid-email',
  'unknown-value',
  'too-common',
  'contains-personal-data',
  'taken',
  'wrong-password',
] as const;

export type FieldErrorCode = (typeof FIELD_ERROR_CODES)[number];
