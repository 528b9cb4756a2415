import { validInput } from '../middleware/validInput';
import { nameField } from './nameField';
import { newPasswordField } from './newPasswordField';
import { passwordField } from './passwordField';

/** At least one name is required. */
export const renameValidators = [
  nameField('firstName', { unless: 'lastName' }).chain,
  nameField('lastName', { unless: 'firstName' }).chain,
  validInput,
];

export const passwordValidators = [
  passwordField('currentPassword').chain,
  newPasswordField('newPassword').chain,
  validInput,
];

export const deleteAccountValidators = [passwordField().chain, validInput];
