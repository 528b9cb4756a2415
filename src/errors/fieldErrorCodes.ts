/** The `code` of an error that has a `path`: what can be wrong with a field. */
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
