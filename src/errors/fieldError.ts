import type { FieldErrorCode } from './fieldErrorCodes';

/** Why a validator refuses a field: a code for programs, a text for people. */
export interface FieldError {
  code: FieldErrorCode;
  msg: string;
}
