import { useEffect, useRef } from 'react';

let isFirst = true;

/** The heading of a view. A new view gets the focus, so that screen readers notice it. */
export function Heading({ children }: { children: string }) {
  const element = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Teahouse`;
    if (!isFirst) element.current?.focus();
    isFirst = false;
  }, [children]);
  return (
    <h1 tabIndex={-1} ref={element}>
      {children}
    </h1>
  );
}
