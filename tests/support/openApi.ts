import document from '../../src/service/openapi.json';

export interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean;
}

export interface Described<Value> {
  schema: Schema;
  required?: boolean;
  example?: unknown;
  examples?: Record<string, { value: Value }>;
}

export interface ResponseObject {
  description: string;
  headers?: Record<string, Described<string>>;
  content?: Record<string, Described<object>>;
}

export interface Operation {
  operationId: string;
  requestBody?: { content: Record<string, Described<object>> };
  responses: Record<string, ResponseObject>;
}

interface OpenApi {
  info: { version: string };
  paths: Record<string, Partial<Record<'get' | 'post' | 'patch' | 'delete', Operation>>>;
  components: {
    schemas: Record<string, Schema>;
    headers: Record<string, Described<string>>;
    responses: Record<string, ResponseObject>;
    examples: Record<string, { summary: string; value: object }>;
  };
}

/** The service's description of itself; an object of it may be a reference to another one. */
export const openApi = document as unknown as OpenApi;

/** The object that a reference names, or the object itself; with its place in the document. */
export function resolved<T extends object>(object: T, pointer: string): [T, pointer: string] {
  if (!('$ref' in object)) return [object, pointer];
  const target = String(object.$ref);
  const parts = target
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'));
  const found = parts.reduce<unknown>(
    (parent, part) => (parent as Record<string, unknown>)[part],
    openApi,
  );
  return resolved(found as T, target);
}

const METHODS = ['get', 'post', 'patch', 'delete'] as const;

/** Every operation that is described. */
export const operations = Object.entries(openApi.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method];
    return operation === undefined ? [] : [{ method, path, operation }];
  }),
);

/** The last segments of the problem types that a schema allows. */
export function problemCodesOf({ allOf = [] }: Schema): string[] {
  return allOf.flatMap(({ properties }) => {
    const { enum: several, const: one } = properties?.type ?? {};
    const types = several ?? (one === undefined ? [] : [one]);
    return types.map((type) => String(type).replace('urn:auth-service:problem:', ''));
  });
}
