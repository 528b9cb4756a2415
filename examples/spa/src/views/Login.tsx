import { auth } from '../auth';
import type { FieldSpec } from '../forms/Field';
import { Form } from '../forms/Form';
import { Heading } from '../Heading';

const FIELDS = [
  { name: 'email', label: 'E-mail', type: 'email', autoComplete: 'username' },
  { name: 'password', label: 'Password', type: 'password', autoComplete: 'current-password' },
] as const satisfies readonly FieldSpec[];

export function Login({ hasLeft }: { hasLeft: boolean }) {
  return (
    <section className="card">
      <Heading>Log in</Heading>
      {hasLeft && <p role="status">You are logged out.</p>}
      <Form fields={FIELDS} submit="Log in" busy="Logging in…" onSubmit={auth.login} />
      <p>
        New here? <a href="#/register">Create an account</a>
      </p>
    </section>
  );
}
