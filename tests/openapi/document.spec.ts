import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { FIELD_ERROR_CODES } from '../../src/errors/fieldErrorCodes';
import { problemBody } from '../../src/errors/problemBody';
import { CATALOGUE, PROBLEM_CODES, problem, type ProblemCode } from '../../src/errors/problems';
import { ROOT } from '../harness/root';
import { openApi, operations, problemCodesOf, resolved } from '../support/openApi';
import { routesOf } from '../support/routesOf';
import { startService } from '../support/service';

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const { schemas, examples } = openApi.components;

/** The problems of an operation by the key of their response: a status, or `default`. */
const responses = operations.flatMap(({ method, path, operation }) =>
  Object.entries(operation.responses).map(([key, reference]) => {
    const [response] = resolved(reference, '');
    const problems = response.content?.['application/problem+json'];
    const codes = problems ? problemCodesOf(problems.schema) : [];
    return { name: `${method.toUpperCase()} ${path} ${key}`, key, codes, problems };
  }),
);

describe('openapi.yaml', () => {
  it('is what the service sends', () => {
    // If this fails: npm run openapi:build
    expect(openApi).toEqual(parse(read('openapi.yaml')));
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(openApi.info.version).toBe(version);
  });

  it('describes the routes of the application, and no others', async () => {
    const issuer = 'https://auth.example.com/tenant';
    const service = await startService({ JWT_ISSUER: issuer, API_DOCS: 'true' });
    try {
      const described = operations.map(
        ({ method, path }) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/, ':$1')}`,
      );
      const served = routesOf(service.app)
        .filter((route) => !route.includes(' /api/auth/'))
        .map((route) => route.replace('/tenant', '/:issuerPath'));
      expect(served.sort()).toEqual(described.sort());
    } finally {
      await service.stop();
    }
  });

  it('lists the codes of the catalogue and of fields', () => {
    expect(schemas.ProblemCode?.enum).toEqual(PROBLEM_CODES);
    expect(schemas.FieldErrorCode?.enum).toEqual(FIELD_ERROR_CODES);
  });

  it('has the response of each problem that the catalogue knows', () => {
    const used = new Set(responses.flatMap(({ codes }) => codes));
    expect([...used].sort()).toEqual([...PROBLEM_CODES].sort());
  });

  it.each(PROBLEM_CODES)('has the body of %s as an example', (code) => {
    const { instance } = examples[code]?.value as { instance: string };
    const { errors } = examples['invalid-input']?.value as {
      errors: ReturnType<typeof problemBody>['errors'];
    };
    const error = problem(code, {
      ...(code === 'invalid-input' && { errors }),
      ...(code === 'email-taken' && { field: { code: 'taken', path: 'email' } }),
    });
    expect(examples[code]?.value).toEqual(problemBody(error, instance));
  });

  it.each(responses.filter(({ key }) => /^[45]/.test(key)))(
    '$name has problems of that status only',
    ({ key, codes }) => {
      expect(codes).not.toEqual([]);
      for (const code of codes) expect(CATALOGUE[code as ProblemCode].status).toBe(Number(key));
    },
  );

  it.each(responses.filter(({ key }) => key === 'default'))(
    '$name has the statuses of its problems',
    ({ codes, problems }) => {
      const statuses = problems?.schema.allOf?.flatMap(({ properties }) => {
        return properties?.status?.enum ?? [];
      });
      const expected = codes.map((code) => CATALOGUE[code as ProblemCode].status);
      expect(new Set(statuses)).toEqual(new Set(expected));
    },
  );

  it.each(responses.filter(({ problems }) => problems))(
    '$name has an example of each problem',
    ({ codes, problems }) => {
      const shown = Object.values(problems?.examples ?? {}).map((reference) => {
        const [example] = resolved(reference, '');
        return (example.value as { type: string }).type.split(':').at(-1);
      });
      expect(shown.sort()).toEqual([...codes].sort());
    },
  );
});
