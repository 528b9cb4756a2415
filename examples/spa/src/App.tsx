import type { User } from 'auth-service-client';
import { useEffect } from 'react';
import { ActivityPanel } from './activity/ActivityPanel';
import { auth } from './auth';
import { Problem } from './tasks/Problem';
import { TaskButton } from './tasks/TaskButton';
import { useAccount } from './useAccount';
import { useRoute } from './useRoute';
import { Login } from './views/Login';
import { Orders } from './views/Orders';
import { Profile } from './views/Profile';
import { Register } from './views/Register';
import { Security } from './views/Security';
import { Sessions } from './views/Sessions';

const LINKS = { profile: 'Profile', security: 'Security', sessions: 'Sessions', orders: 'Orders' };

export function App() {
  const { account, show, retry } = useAccount();
  const route = useRoute();
  const isAstray = account.status === 'signedIn' && !(route in LINKS);
  useEffect(() => {
    if (isAstray) location.replace('#/profile');
  }, [isAstray]);
  return (
    <>
      <header>
        <a className="brand" href="#/profile">
          <img src="/teapot.svg" alt="" width="32" height="32" />
          Teahouse
        </a>
        {account.status === 'signedIn' && <Navigation route={route} />}
      </header>
      <div className="page">
        <main>
          {account.status === 'loading' && <p role="status">Pouring your tea…</p>}
          {account.status === 'failed' && (
            <>
              <Problem error={account.error} />
              <TaskButton busy="Trying again…" task={retry}>
                Try again
              </TaskButton>
            </>
          )}
          {account.status === 'signedOut' &&
            (route === 'register' ? <Register /> : <Login hasLeft={account.hasLeft} />)}
          {account.status === 'signedIn' && (
            <View key={account.user.id} route={route} user={account.user} onChange={show} />
          )}
        </main>
        <ActivityPanel />
      </div>
    </>
  );
}

function Navigation({ route }: { route: string }) {
  return (
    <>
      <nav aria-label="Account">
        {Object.entries(LINKS).map(([name, text]) => (
          <a key={name} href={`#/${name}`} aria-current={name === route ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <TaskButton className="quiet" busy="Logging out…" task={() => auth.logout()}>
        Log out
      </TaskButton>
    </>
  );
}

interface ViewProps {
  route: string;
  user: User;
  onChange: (user: User) => void;
}

function View({ route, user, onChange }: ViewProps) {
  if (route === 'security') return <Security user={user} />;
  if (route === 'sessions') return <Sessions />;
  if (route === 'orders') return <Orders />;
  return <Profile user={user} onChange={onChange} />;
}
