import type { Express } from 'express';

/** How Express stores a route or a mounted router. */
interface Layer {
  rawPath: string | string[];
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle: Stack;
}

interface Stack {
  stack?: Layer[];
}

/** Each route of an application as `METHOD /path`. */
export function routesOf({ router }: Express): string[] {
  return routesBelow(router as unknown as Stack, '');
}

function routesBelow({ stack = [] }: Stack, mount: string): string[] {
  return stack.flatMap(({ rawPath, route, handle }) => {
    if (!route)
      return [rawPath]
        .flat()
        .flatMap((path) => routesBelow(handle, mount + path.replace(/\/$/, '')));
    const methods = Object.keys(route.methods).filter((method) => method !== '_all');
    const paths = [route.path].flat().map((path) => mount + path);
    return methods.flatMap((method) => paths.map((path) => `${method.toUpperCase()} ${path}`));
  });
}
