import type { ReactNode } from 'react';
import { Problem } from './Problem';
import { useTask } from './useTask';

interface Props {
  children: ReactNode;
  /** What the button is called if its text alone does not say what it is for. */
  label?: string;
  busy: string;
  done?: string;
  className?: string;
  task: () => Promise<unknown>;
}

/** A button that shows that it waits, and why it has failed. */
export function TaskButton({ children, label, busy, done = '', className, task }: Props) {
  const { state, run } = useTask();
  const isRunning = state.status === 'running';
  return (
    <div className="task">
      <button
        type="button"
        className={className}
        aria-label={label}
        aria-disabled={isRunning}
        onClick={() => void run(task)}
      >
        {children}
      </button>
      <span role="status">{isRunning ? busy : state.status === 'done' && done}</span>
      {state.status === 'failed' && <Problem error={state.error} />}
    </div>
  );
}
