import { useSyncExternalStore } from 'react';
import { activity } from './activity';
import { lastBurst } from './lastBurst';
import { meaningOf } from './meaningOf';
import type { Step } from './Step';

const count = (n: number, noun: string, plural = `${noun}s`) => `${n} ${n === 1 ? noun : plural}`;

/** Shows what the client does: the latest requests of all tabs. */
export function ActivityPanel() {
  const steps = useSyncExternalStore(activity.watch, activity.steps);
  const burst = lastBurst(steps);
  const others = [...new Set(steps.map(({ tab }) => tab))].filter((tab) => tab !== activity.tab);
  const nameOf = (tab: string) =>
    tab === activity.tab ? 'This tab' : `Tab ${others.indexOf(tab) + 2}`;
  const tabs = [...new Set(burst.map(({ tab }) => tab))];
  const refreshes = burst.filter(({ path }) => path.endsWith('/auth/refresh')).length;

  return (
    <aside className="receipt" aria-labelledby="activity">
      <h2 id="activity">What the client does</h2>
      <p>
        All tabs share one session. When the access token expires, one tab refreshes it and the
        others wait. Open more tabs and try it:
      </p>
      <p className="actions">
        <button type="button" onClick={activity.expireEverywhere}>
          Expire the access token
        </button>
        <a href={location.pathname} target="_blank" rel="noreferrer">
          Open another tab
        </a>
      </p>
      <p role="status" className="total">
        {count(tabs.length, 'tab')}, {count(burst.length, 'request')},{' '}
        {count(refreshes, 'refresh', 'refreshes')}
      </p>
      <Lanes burst={burst} tabs={tabs} nameOf={nameOf} />
      <ol>
        {burst.map((step) => (
          <li key={step.id} className={meaningOf(step).kind}>
            <span className="tab">{nameOf(step.tab)}</span>
            <span className="request">
              {step.method} {step.path}
            </span>
            <strong>{step.status ?? 'lost'}</strong>
            <span className="meaning">{meaningOf(step).text}</span>
          </li>
        ))}
      </ol>
    </aside>
  );
}

interface LanesProps {
  burst: Step[];
  tabs: string[];
  nameOf: (tab: string) => string;
}

/** The same as a picture: one line for each tab, from left to right in time. */
function Lanes({ burst, tabs, nameOf }: LanesProps) {
  const start = Math.min(...burst.map((step) => step.start));
  const length = Math.max(1, ...burst.map((step) => step.end - start));
  const percent = (time: number) => `${(time / length) * 100}%`;
  return (
    <div className="lanes" aria-hidden="true">
      {tabs.map((tab) => (
        <div key={tab}>
          <span>{nameOf(tab)}</span>
          <div className="lane">
            {burst
              .filter((step) => step.tab === tab)
              .map((step) => (
                <i
                  key={step.id}
                  className={meaningOf(step).kind}
                  style={{
                    left: percent(step.start - start),
                    width: percent(step.end - step.start),
                  }}
                />
              ))}
          </div>
        </div>
      ))}
    </div>
  );
}
