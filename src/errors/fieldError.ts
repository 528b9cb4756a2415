import type { FieldErrorCode } from './fieldErrorCodes';

/** What a validator says of a field that it refuses. */
export interface FieldError {
  code: FieldErrorCode;
  /** For people: what to change. */
  msg: string;
}
