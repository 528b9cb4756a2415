import { useSyncExternalStore } from 'react';

const watch = (changed: () => void) => {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
};

/** The view that the address names: `profile` for `#/profile`. */
export function useRoute(): string {
  return useSyncExternalStore(watch, () => location.hash.slice(2));
}
