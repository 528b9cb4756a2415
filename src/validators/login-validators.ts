import { validInput } from '../middleware/validInput';
import { emailField, passwordField } from './fields';

export const loginValidators = [emailField(), passwordField(), validInput];
