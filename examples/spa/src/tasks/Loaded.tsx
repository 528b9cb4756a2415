import type { ReactNode } from 'react';
import { Problem } from './Problem';
import { TaskButton } from './TaskButton';
import type { useLoaded } from './useLoaded';

interface Props<T> {
  what: ReturnType<typeof useLoaded<T>>;
  children: (value: T) => ReactNode;
}

/** What has been loaded; before that, that it is loading or why it has failed. */
export function Loaded<T>({ what: { value, error, reload }, children }: Props<T>) {
  if (error !== undefined)
    return (
      <>
        <Problem error={error} />
        <TaskButton busy="Trying again…" task={reload}>
          Try again
        </TaskButton>
      </>
    );
  if (value === undefined) return <p role="status">Loading…</p>;
  return children(value);
}
