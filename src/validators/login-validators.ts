import { validInput } from '../middleware/validInput';
import { emailField } from './emailField';
import { passwordField } from './passwordField';

export const loginValidators = [emailField().chain, passwordField().chain, validInput];
