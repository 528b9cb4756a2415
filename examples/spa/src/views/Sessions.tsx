import type { Session } from 'auth-service-client';
import { useRef, useState } from 'react';
import { auth } from '../auth';
import { Heading } from '../Heading';
import { Loaded } from '../tasks/Loaded';
import { TaskButton } from '../tasks/TaskButton';
import { useLoaded } from '../tasks/useLoaded';
import { deviceName } from './deviceName';

const time = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

export function Sessions() {
  const sessions = useLoaded(auth.sessions.list);
  const [news, setNews] = useState('');
  const newsLine = useRef<HTMLParagraphElement>(null);

  async function end(what: () => Promise<unknown>, done: string) {
    await what();
    await sessions.reload();
    setNews(done);
    // The button is gone; the keyboard continues here.
    newsLine.current?.focus();
  }

  return (
    <>
      <Heading>Sessions</Heading>
      <section className="card">
        <p role="status" tabIndex={-1} ref={newsLine}>
          {news}
        </p>
        <Loaded what={sessions}>
          {(list) => (
            <>
              <ul className="rows">
                {list.map((session) => (
                  <Row
                    key={session.id}
                    session={session}
                    onEnd={() => end(() => auth.sessions.end(session.id), 'The session has ended.')}
                  />
                ))}
              </ul>
              {list.length > 1 && (
                <TaskButton
                  busy="Ending…"
                  task={() => end(auth.sessions.endOthers, 'All other sessions have ended.')}
                >
                  End all others
                </TaskButton>
              )}
            </>
          )}
        </Loaded>
      </section>
    </>
  );
}

function Row({ session, onEnd }: { session: Session; onEnd: () => Promise<void> }) {
  const { userAgent, ipAddress, lastUsedAt, current } = session;
  const used = time.format(new Date(lastUsedAt));
  return (
    <li>
      <div>
        <strong>{deviceName(userAgent)}</strong>
        <span className="hint">
          {ipAddress} · last used <time dateTime={lastUsedAt}>{used}</time>
        </span>
      </div>
      {current ? (
        <span className="tag">This device</span>
      ) : (
        <TaskButton
          label={`End the session of ${deviceName(userAgent)}, last used ${used}`}
          busy="Ending…"
          task={onEnd}
        >
          End
        </TaskButton>
      )}
    </li>
  );
}
