import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import request from 'supertest';
import { loadConfig, schemaFor } from '../src/config';
import { CATALOGUE } from '../src/errors/problems';
import { auditLevels } from '../src/service/auditLevels';
import { MOUNTS } from './support/client';
import { routesOf } from './support/routesOf';
import { environmentFor, startService, type TestService } from './support/service';

const ROOT = path.resolve(__dirname, '..');
const NOT_OURS = new Set(['node_modules', '.git', '.data', 'dist', 'coverage']);

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

/** The files with this ending below a folder of the project, relative to its root. */
function filesIn(folder: string, ending: string): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (NOT_OURS.has(entry.name)) return [];
    if (entry.isDirectory()) return filesIn(file, ending);
    return file.endsWith(ending) ? [file] : [];
  });
}

/** The rows of all tables whose first column has this heading, without backticks. */
function rowsOf(file: string, heading: string): string[][] {
  const rows: string[][] = [];
  let inTable = false;
  for (const line of read(file).split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    if (!line.startsWith('|')) inTable = false;
    else if (cells[1] === heading) inTable = true;
    else if (inTable && !/^\|[ :|-]+$/.test(line)) rows.push(cells.slice(1, -1));
  }
  return rows;
}

const sorted = (values: Iterable<string>) => [...new Set(values)].sort();

/** The schema of one setting. */
interface Rule {
  safeParse(value: undefined): { data?: { toString(): string } | undefined; error?: unknown };
}

describe('docs/configuration.md', () => {
  /** A setting's default, in words. */
  function defaultOf(environment: 'dev' | 'prod', name: string): string {
    // Its default depends on another setting, so it is not in the schema.
    if (name === 'JWT_ISSUER') return 'http://localhost:PORT';
    const shape: Record<string, Rule> = schemaFor(environment).shape;
    const result = shape[name]?.safeParse(undefined);
    if (result?.error) return 'required';
    return String(result?.data ?? 'none');
  }

  it('has a row for each setting, with its default', () => {
    const documented = rowsOf('docs/configuration.md', 'variable');
    const settings = Object.keys(schemaFor('prod').shape).map((name) => {
      const [dev, prod] = [defaultOf('dev', name), defaultOf('prod', name)];
      return `${name}: ${dev === prod ? dev : `${dev}; ${prod} in prod`}`;
    });
    expect(documented.map(([name, value]) => `${name}: ${value}`).sort()).toEqual(settings.sort());
  });

  it('has the right default of the issuer', () => {
    const database = { host: 'h', port: 1, username: 'u', password: 'p', name: 'n', poolSize: 1 };
    const { tokens } = loadConfig(environmentFor(database, { PORT: '1234' }));
    expect(tokens.issuer).toBe('http://localhost:1234');
  });

  it('has each name of .env.example', () => {
    const names = [...read('.env.example').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(5);
    expect(Object.keys(schemaFor('prod').shape)).toEqual(expect.arrayContaining(names));
  });
});

describe('docs/api.md', () => {
  it('has a row for each problem, with its status', () => {
    const documented = rowsOf('docs/api.md', 'status').map(([status, code]) => `${status} ${code}`);
    const problems = Object.entries(CATALOGUE).map(([code, { status }]) => `${status} ${code}`);
    expect(documented.sort()).toEqual(problems.sort());
  });
});

describe.each(['docs/api.md', 'README.md'])('the routes in %s', (file) => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  const documented = sorted(
    rowsOf(file, 'route').flatMap(([route = '']) => {
      const name = route.replace(/\?.*/, '');
      return name.includes(' /auth/') ? MOUNTS.map((mount) => name.replace('/auth', mount)) : name;
    }),
  );

  it('are exactly the routes of the application', () => {
    expect(documented).toEqual(sorted(routesOf(service.app)));
  });

  it('have exactly the methods of Allow', async () => {
    const paths = sorted(documented.map((route) => route.split(' ')[1] ?? ''));
    const allowed = await Promise.all(
      paths.map(async (route) => {
        const res = await request(service.app).put(route.replace(':id', 'an-id'));
        expect(res.status).toBe(405);
        const methods = res.get('Allow')?.split(', ') ?? [];
        expect(methods.includes('HEAD')).toBe(methods.includes('GET'));
        return methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${route}`);
      }),
    );
    expect(sorted(allowed.flat())).toEqual(documented);
  });
});

describe('docs/operations.md', () => {
  const documented = rowsOf('docs/operations.md', 'event');

  it('has a row for each security event, with its level', () => {
    const expected = Object.entries(auditLevels).map(([event, level]) => `${event} ${level}`);
    const ours = documented.filter(([event = '']) => !/^(?:sys|request)_/.test(event));
    expect(ours.map(([event, level]) => `${event} ${level}`).sort()).toEqual(expected.sort());
  });

  it('has a row for each other logged event', () => {
    const source = filesIn('src', '.ts').map(read).join('\n');
    const logged = [...source.matchAll(/\bevent: '((?:sys|request)_\w+)'/g)].map(
      ([, event = '']) => event,
    );
    const events = documented.map(([event = '']) => event);
    expect(sorted([...logged, ...Object.keys(auditLevels)])).toEqual(sorted(events));
  });
});

describe.each(filesIn('', '.md'))('%s', (file) => {
  /** Without code, which may contain brackets. */
  const textOf = (page: string) => read(page).replace(/^```.*?^```$/gms, '');

  /** The anchors of the headings of a page on GitHub. */
  const anchorsOf = (page: string) =>
    [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    );

  it('has no broken link', () => {
    const links = [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [target = '', anchor] = link.split('#');
      const page = target === '' ? file : path.join(path.dirname(file), target);
      if (!existsSync(path.join(ROOT, page))) return true;
      return anchor !== undefined && !anchorsOf(page).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    // bench/ has its own scripts.
    const packages = ['package.json', path.join(path.dirname(file), 'package.json')];
    const scripts = packages
      .filter((name) => existsSync(path.join(ROOT, name)))
      .flatMap((name) => Object.keys((JSON.parse(read(name)) as { scripts: object }).scripts));
    const named = [...read(file).matchAll(/npm run ([a-z][\w:]*\w)/g)].map(([, name]) => name);
    expect(scripts).toEqual(expect.arrayContaining(named));
  });
});
