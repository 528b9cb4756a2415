import { validInput } from '../middleware/validInput';
import { emailField, nameField, newPasswordField } from './fields';

export const registerValidators = [
  nameField('firstName'),
  nameField('lastName'),
  emailField(),
  newPasswordField(),
  validInput,
];
