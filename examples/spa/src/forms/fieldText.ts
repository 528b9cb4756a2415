import type { FieldErrorCode } from 'auth-service-client';

const TEXTS: Record<FieldErrorCode, string> = {
  required: 'Fill this in.',
  blank: 'Enter at least one visible character.',
  'wrong-type': 'Enter text.',
  'too-short': 'Use at least 8 characters.',
  'too-long': 'This is too long.',
  'invalid-characters': 'Remove the characters that cannot be shown.',
  'invalid-email': 'Enter an e-mail address such as ada@example.com.',
  'unknown-value': 'Choose one of the offered values.',
  'too-common': 'This password is easy to guess. Choose another one.',
  'contains-personal-data': 'Use a password without your name or e-mail in it.',
  taken: 'There is already an account with this e-mail.',
  'wrong-password': 'This is not your current password.',
};

/** What is wrong with a field; the service's own words for a code that this app does not know. */
export function fieldText({ code, msg }: { code: string; msg: string }): string {
  return code in TEXTS ? TEXTS[code as FieldErrorCode] : msg;
}
