import type { User } from 'auth-service-client';
import { auth } from '../auth';
import { Form } from '../forms/Form';
import { Heading } from '../Heading';

interface Props {
  user: User;
  onChange: (user: User) => void;
}

export function Profile({ user, onChange }: Props) {
  const { firstName, lastName, email, role, createdAt } = user;
  return (
    <>
      <Heading>{`Hello, ${firstName}`}</Heading>
      <section className="card">
        <h2>Account</h2>
        <dl>
          <dt>E-mail</dt>
          <dd>{email}</dd>
          <dt>Role</dt>
          <dd>{role}</dd>
          <dt>Since</dt>
          <dd>{new Date(createdAt).toLocaleDateString('en', { dateStyle: 'long' })}</dd>
        </dl>
      </section>
      <section className="card">
        <h2>Name</h2>
        <Form
          fields={[
            {
              name: 'firstName',
              label: 'First name',
              autoComplete: 'given-name',
              defaultValue: firstName,
            },
            {
              name: 'lastName',
              label: 'Last name',
              autoComplete: 'family-name',
              defaultValue: lastName,
            },
          ]}
          submit="Save"
          busy="Saving…"
          done="Saved."
          onSubmit={async (names) => onChange(await auth.account.rename(names))}
        />
      </section>
    </>
  );
}
