import type { User } from 'auth-service-client';
import { auth } from '../auth';
import type { FieldSpec } from '../forms/Field';
import { Form } from '../forms/Form';
import { Heading } from '../Heading';
import { TaskButton } from '../tasks/TaskButton';

const PASSWORD_CHANGE = [
  {
    name: 'currentPassword',
    label: 'Current password',
    type: 'password',
    autoComplete: 'current-password',
  },
  {
    name: 'newPassword',
    label: 'New password',
    hint: 'At least 8 characters. All other sessions end.',
    type: 'password',
    autoComplete: 'new-password',
  },
] as const satisfies readonly FieldSpec[];

const CONFIRMATION = [
  {
    name: 'password',
    label: 'Password',
    type: 'password',
    autoComplete: 'current-password',
  },
] as const satisfies readonly FieldSpec[];

export function Security({ user: { email } }: { user: User }) {
  return (
    <>
      <Heading>Security</Heading>
      <section className="card">
        <h2>Change the password</h2>
        <Form
          fields={PASSWORD_CHANGE}
          username={email}
          submit="Change the password"
          busy="Changing the password…"
          done="The password is changed."
          onSubmit={auth.account.changePassword}
        />
      </section>
      <section className="card">
        <h2>Log out</h2>
        <div className="actions">
          <TaskButton busy="Logging out…" task={() => auth.logout()}>
            On this device
          </TaskButton>
          <TaskButton
            busy="Logging out…"
            done="All other devices are logged out."
            task={() => auth.logout('others')}
          >
            On all other devices
          </TaskButton>
          <TaskButton busy="Logging out…" task={() => auth.logout('all')}>
            Everywhere
          </TaskButton>
        </div>
      </section>
      <section className="card">
        <h2>Delete the account</h2>
        <details>
          <summary>I want to delete my account</summary>
          <p>This also ends all sessions. It cannot be undone.</p>
          <Form
            fields={CONFIRMATION}
            username={email}
            submit="Delete the account"
            busy="Deleting the account…"
            className="danger"
            onSubmit={auth.account.delete}
          />
        </details>
      </section>
    </>
  );
}
