import { useState } from 'react';

type State = { status: 'idle' | 'running' | 'done' } | { status: 'failed'; error: unknown };

/** Something that a person starts, and that takes time: what to show of it. */
export function useTask() {
  const [state, setState] = useState<State>({ status: 'idle' });

  /** Resolves to whether it has succeeded. A second start while it runs does nothing. */
  async function run(task: () => Promise<unknown>): Promise<boolean> {
    if (state.status === 'running') return false;
    setState({ status: 'running' });
    try {
      await task();
      setState({ status: 'done' });
      return true;
    } catch (error) {
      setState({ status: 'failed', error });
      return false;
    }
  }
  return { state, run };
}
