import type { Router } from 'express';
import type { DocsController } from '../controller/DocsController';
import { routeTable } from './routeTable';

export function docsRoutes(docs: DocsController): Router {
  return routeTable([
    ['GET', '/docs', [], docs.page],
    ['GET', '/docs/:file', [], docs.file],
  ]);
}
