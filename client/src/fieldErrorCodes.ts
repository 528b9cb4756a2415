/** What can be wrong with a field; docs/input.md says when. */
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
