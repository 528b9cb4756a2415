import { query } from 'express-validator';
import { validInput } from '../middleware/validInput';
import type { FieldError } from '../errors/fieldError';
import type { LogoutScope } from '../types/session';

const SCOPES: readonly LogoutScope[] = ['current', 'others', 'all'];

const isScope = (value: unknown) => SCOPES.some((scope) => scope === value);

const UNKNOWN: FieldError = {
  code: 'unknown-value',
  msg: `scope must be one of ${SCOPES.join(', ')}`,
};

export const logoutValidators = [
  query('scope')
    .customSanitizer((scope: unknown) => scope ?? 'current')
    .custom(isScope)
    .withMessage(UNKNOWN),
  validInput,
];
