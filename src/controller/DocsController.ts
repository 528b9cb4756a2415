import path from 'node:path';
import type { Request, Response } from 'express';
import { problem } from '../errors/problems';
import { JWKS_MAX_AGE } from '../keys/rotationTimes';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>auth-service</title>
    <link rel="icon" href="/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <main id="viewer"></main>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/**
 * Without "Try it out": the service's own origin is not one that may change something. Without the
 * validator, a website that would be told the address of the service.
 */
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  supportedSubmitMethods: [],
  validatorUrl: null,
});
`;

/** Those that the page uses: the package also has source maps and other builds. */
const FILES: readonly string[] = ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'];

/** The icons in the style sheet are data URLs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const CACHE = `public, max-age=${JWKS_MAX_AGE}`;

/** The OpenAPI description as a page, shown by Swagger UI. */
export class DocsController {
  private readonly folder = path.dirname(require.resolve('swagger-ui-dist/package.json'));

  readonly page = (_req: Request, res: Response): void => {
    res.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': CACHE });
    res.type('html').send(PAGE);
  };

  readonly file = (req: Request, res: Response): void => {
    const file = String(req.params.file);
    if (file !== 'start.js' && !FILES.includes(file)) throw problem('not-found');
    res.set('Cache-Control', CACHE);
    if (file === 'start.js') res.type('js').send(START);
    else res.sendFile(file, { root: this.folder, cacheControl: false, lastModified: false });
  };
}
