import { body, type Meta, type ValidationChain } from 'express-validator';
import type { FieldErrorCode } from '../errors/fieldErrorCodes';
import type { FieldError } from '../errors/fieldError';

/** A string in the body. Only the first failed check is reported. */
export class TextField {
  readonly chain: ValidationChain;

  /** The field may be absent if the field `unless` is there. */
  constructor(
    private readonly name: string,
    unless?: string,
  ) {
    this.chain = body(name);
    if (unless !== undefined)
      this.chain.if((value: unknown, { req }) => {
        const fields = (req.body ?? {}) as Record<string, unknown>;
        return value !== undefined || fields[unless] === undefined;
      });
    this.check('required', 'is required', (value: unknown) => value !== undefined && value !== '')
      .check('wrong-type', 'must be a string', (value: unknown) => typeof value === 'string')
      .check('invalid-characters', 'must be well-formed Unicode', (value) => value.isWellFormed());
  }

  /** Not express-validator's own checks: they run on each element of an array. */
  check(code: FieldErrorCode, rule: string, holds: (value: string, meta: Meta) => boolean): this {
    const error: FieldError = { code, msg: `${this.name} ${rule}` };
    this.chain.custom(holds).withMessage(error).bail();
    return this;
  }

  change(sanitize: (value: string) => string): this {
    this.chain.customSanitizer(sanitize);
    return this;
  }
}
