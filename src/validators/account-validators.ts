import { validInput } from '../middleware/validInput';
import { nameField, newPasswordField, passwordField } from './fields';

/** At least one of the names. */
export const renameValidators = [
  nameField('firstName', { unless: 'lastName' }),
  nameField('lastName', { unless: 'firstName' }),
  validInput,
];

export const passwordValidators = [
  passwordField('currentPassword'),
  newPasswordField('newPassword'),
  validInput,
];

export const deleteAccountValidators = [passwordField(), validInput];
