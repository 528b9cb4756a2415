import { useEffect, useRef } from 'react';
import { problemText } from './problemText';

/** A failure in words. It takes the focus, so that the keyboard continues there. */
export function Problem({ error }: { error: unknown }) {
  const element = useRef<HTMLParagraphElement>(null);
  useEffect(() => element.current?.focus(), [error]);
  return (
    <p role="alert" tabIndex={-1} className="problem" ref={element}>
      {problemText(error)}
    </p>
  );
}
