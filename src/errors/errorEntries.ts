import type { Request } from 'express';
import type { FieldErrorCode } from './fieldErrorCodes';
import type { Problem, ProblemError } from './problems';

/** The field at fault, for a problem that is found after validation. */
function fieldAtFault(
  error: Problem,
  req: Request | undefined,
): { code: FieldErrorCode; path: string; msg: string } | undefined {
  if (error.code === 'email-taken') return { code: 'taken', path: 'email', msg: error.message };
  // At login the response must not tell whether e-mail or password is wrong.
  if (error.code !== 'wrong-credentials' || req?.user === undefined) return undefined;
  const { currentPassword } = req.body as { currentPassword?: string };
  const path = currentPassword === undefined ? 'password' : 'currentPassword';
  return { code: 'wrong-password', path, msg: `${path} is wrong` };
}

/** The `errors` of an error response; never empty. */
export function errorEntries(error: Problem, req?: Request): ProblemError[] {
  if (error.errors !== undefined) return error.errors;
  const { code, message: msg } = error;
  const field = fieldAtFault(error, req);
  return [
    field === undefined
      ? { type: code, code, msg, path: '', location: '' }
      : { type: code, location: 'body', ...field },
  ];
}
