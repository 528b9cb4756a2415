import { validInput } from '../middleware/validInput';
import { emailField } from './emailField';
import { nameField } from './nameField';
import { newPasswordField } from './newPasswordField';

export const registerValidators = [
  nameField('firstName').chain,
  nameField('lastName').chain,
  emailField().chain,
  newPasswordField().chain,
  validInput,
];
