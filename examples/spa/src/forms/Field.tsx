import { useId, useState } from 'react';

export interface FieldSpec<Name extends string = string> {
  /** As in the `path` of the service's errors. */
  name: Name;
  label: string;
  hint?: string;
  type?: 'text' | 'email' | 'password';
  /** Tells password managers what belongs here. */
  autoComplete: string;
  defaultValue?: string;
}

/** A labelled field, with what is wrong with it below. */
export function Field({ spec, error }: { spec: FieldSpec; error: string | undefined }) {
  const { name, label, hint, type = 'text', autoComplete, defaultValue } = spec;
  const id = useId();
  const [isShown, setShown] = useState(false);
  const notes = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`];
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      <div className="input">
        <input
          id={id}
          name={name}
          type={isShown ? 'text' : type}
          autoComplete={autoComplete}
          defaultValue={defaultValue}
          autoCapitalize={type === 'text' ? undefined : 'none'}
          spellCheck={false}
          aria-required
          aria-invalid={error !== undefined}
          aria-describedby={notes.filter(Boolean).join(' ') || undefined}
        />
        {type === 'password' && (
          <button
            type="button"
            className="quiet"
            aria-pressed={isShown}
            aria-label={`Show the ${label.toLowerCase()}`}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? 'Hide' : 'Show'}
          </button>
        )}
      </div>
      {error !== undefined && (
        <p id={`${id}-error`} className="error">
          {error}
        </p>
      )}
    </div>
  );
}
