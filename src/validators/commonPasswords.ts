import { dictionary } from '@zxcvbn-ts/language-common';

/** Some 50 000 of them, from leaks, in lower case. */
const common = new Set(dictionary.passwords);

/** Whether the password, whatever its case, is one that attackers try first. */
export const isCommonPassword = (password: string): boolean => common.has(password.toLowerCase());
