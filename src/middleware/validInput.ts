import type { RequestHandler } from 'express';
import { validationResult, type ValidationError } from 'express-validator';
import { problem, type ProblemError } from '../errors/problems';
import type { FieldError } from '../errors/fieldError';

function publicError(error: ValidationError): ProblemError {
  const field = error.type === 'field' ? error : { path: '', location: 'body' };
  const { code, msg } = error.msg as FieldError;
  return { type: error.type, code, msg, path: field.path, location: field.location };
}

/** Guard after validators: refuses the request if they found an error. */
export const validInput: RequestHandler = (req, _res, next) => {
  const errors = validationResult(req).formatWith(publicError).array();
  if (errors.length > 0) throw problem('invalid-input', { errors });
  next();
};
