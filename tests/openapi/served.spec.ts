import request from 'supertest';
import { loadConfig } from '../../src/config';
import { clientOf } from '../support/client';
import { openApi } from '../support/openApi';
import { expectProblem } from '../support/problem';
import { ALLOWED_ORIGIN, environmentFor, startService, type TestService } from '../support/service';

const PROD = { NODE_ENV: 'prod', CLIENT_UI_DOMAIN: ALLOWED_ORIGIN };

describe('the description of the API', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService({ API_DOCS: 'true' });
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  describe('when a program reads /openapi.json', () => {
    it('gets the document, in prod too', async () => {
      for (const app of [service.app, service.withSettings({ ...PROD, API_DOCS: 'false' })]) {
        const res = await request(app).get('/openapi.json').expect(200);
        expect(res.body).toEqual(openApi);
        expect(res.headers['content-type']).toBe('application/json; charset=utf-8');
        expect(res.headers['cache-control']).toBe('public, max-age=300');
      }
    });

    it('learns that it has not changed', async () => {
      const { headers } = await client.send('get', '/openapi.json');
      const again = client.send('get', '/openapi.json');
      await again.set('If-None-Match', String(headers.etag)).expect(304);
    });

    it('may be a script of any origin', async () => {
      const origin = 'https://anywhere.example';
      const res = await client.send('get', '/openapi.json').set('Origin', origin).expect(200);
      expect(res.headers['access-control-allow-origin']).toBe('*');
      expect(res.headers['access-control-allow-credentials']).toBeUndefined();
      expect(res.headers['cross-origin-resource-policy']).toBe('cross-origin');
    });
  });

  describe('when a person reads /docs', () => {
    it('gets a page whose files are all there', async () => {
      const page = await client.send('get', '/docs').expect(200);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
      const types = await Promise.all(
        files.map(async (file) => {
          const res = await client.send('get', file).expect(200);
          return String(res.headers['content-type']).replace(/;.*/, '');
        }),
      );
      expect(types).toEqual(['image/png', 'text/css', 'text/javascript', 'text/javascript']);
    });

    it('gets a policy that allows nothing but these files and the document', async () => {
      const page = await client.send('get', '/docs').expect(200);
      const policy = String(page.headers['content-security-policy']);
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(page.text).not.toMatch(/<style|style=|<script>/);
    });

    it.each(['package.json', 'swagger-ui.js', 'index.html', '..%2Fpg%2Fpackage.json', '%00'])(
      'gets no other file of the package: %s',
      async (file) => {
        const res = await client.send('get', `/docs/${file}`);
        expectProblem(res, 404);
        expect(res.headers['cache-control']).toBeUndefined();
      },
    );

    it('finds nothing where API_DOCS is off', async () => {
      const app = service.withSettings({ API_DOCS: 'false' });
      for (const path of ['/docs', '/docs/start.js'])
        expectProblem(await request(app).get(path), 404);
    });
  });

  describe('when API_DOCS is not set', () => {
    it.each([
      ['dev', true],
      ['test', false],
      ['prod', false],
    ])('the page in %s is there: %s', (environment, expected) => {
      const settings = environmentFor(service.config.database, { ...PROD, NODE_ENV: environment });
      expect(loadConfig(settings).apiDocs).toBe(expected);
    });
  });
});
