import { auth } from '../auth';
import type { FieldSpec } from '../forms/Field';
import { Form } from '../forms/Form';
import { Heading } from '../Heading';

const FIELDS = [
  { name: 'firstName', label: 'First name', autoComplete: 'given-name' },
  { name: 'lastName', label: 'Last name', autoComplete: 'family-name' },
  { name: 'email', label: 'E-mail', type: 'email', autoComplete: 'username' },
  {
    name: 'password',
    label: 'Password',
    hint: 'At least 8 characters. A few words are easy to remember.',
    type: 'password',
    autoComplete: 'new-password',
  },
] as const satisfies readonly FieldSpec[];

export function Register() {
  return (
    <section className="card">
      <Heading>Create an account</Heading>
      <Form
        fields={FIELDS}
        submit="Create the account"
        busy="Creating the account…"
        onSubmit={auth.register}
      />
      <p>
        Already a customer? <a href="#/login">Log in</a>
      </p>
    </section>
  );
}
