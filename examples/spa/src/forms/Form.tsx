import { AuthProblem } from 'auth-service-client';
import { useEffect, useRef, type FormEvent } from 'react';
import { Problem } from '../tasks/Problem';
import { useTask } from '../tasks/useTask';
import { Field, type FieldSpec } from './Field';
import { fieldText } from './fieldText';

interface Props<Name extends string> {
  fields: readonly FieldSpec<Name>[];
  submit: string;
  busy: string;
  done?: string;
  className?: string;
  /** Tells password managers whose password it is, where no field asks for the e-mail. */
  username?: string;
  onSubmit: (values: Record<Name, string>) => Promise<unknown>;
}

/** A form that the service checks: its errors appear beside the fields, and the first one gets the focus. */
export function Form<Name extends string>(props: Props<Name>) {
  const { fields, submit, busy, done = '', className, username, onSubmit } = props;
  const form = useRef<HTMLFormElement>(null);
  const { state, run } = useTask();
  const isRunning = state.status === 'running';
  const error = state.status === 'failed' ? state.error : undefined;
  const errors = error instanceof AuthProblem ? error.errors : [];
  const errorOf = (name: string) => errors.find(({ path }) => path === name);
  const isOfFields = fields.some(({ name }) => errorOf(name));

  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [error]);

  async function send(event: FormEvent) {
    event.preventDefault();
    if (!form.current) return;
    const values = Object.fromEntries(new FormData(form.current)) as Record<Name, string>;
    const isDone = await run(() => onSubmit(values));
    if (isDone && username !== undefined) form.current?.reset();
  }

  return (
    <form ref={form} noValidate onSubmit={(event) => void send(event)}>
      {username !== undefined && (
        <input type="email" autoComplete="username" value={username} readOnly hidden />
      )}
      {fields.map((spec) => {
        const fieldError = errorOf(spec.name);
        return <Field key={spec.name} spec={spec} error={fieldError && fieldText(fieldError)} />;
      })}
      {error !== undefined && !isOfFields && <Problem error={error} />}
      <div className="task">
        <button type="submit" className={className ?? 'primary'} aria-disabled={isRunning}>
          {submit}
        </button>
        <span role="status">{isRunning ? busy : state.status === 'done' && done}</span>
      </div>
    </form>
  );
}
