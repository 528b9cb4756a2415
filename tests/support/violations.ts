import Ajv, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { openApi, operations, resolved, type ResponseObject, type Schema } from './openApi';

/** A request and its response, as they went over the wire. */
export interface Exchange {
  method: string;
  /** With the query. */
  url: string;
  status: number;
  /** By lower-case names. */
  headers: Record<string, string | string[] | number | undefined>;
  body: string;
}

/** Headers that say something of one response; the others are the same for all. */
const TELLING = /^(?:set-cookie|retry-after|ratelimit-.*|www-authenticate|allow|etag|location)$/;

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(closed(openApi) as object, 'openapi');

/** The document with objects that have no other properties than the described ones. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, closed(value)]);
  const copy = Object.fromEntries(entries) as Schema;
  if (copy.type === 'object' && copy.properties) copy.additionalProperties ??= false;
  return copy;
}

const escaped = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');

function validatorAt(pointer: string): ValidateFunction {
  const validate = ajv.getSchema(`openapi${encodeURI(pointer)}`);
  if (validate === undefined) throw new Error(`there is no schema at ${pointer}`);
  return validate;
}

function faultsOf(pointer: string, value: unknown, name: string): string[] {
  const validate = validatorAt(pointer);
  if (validate(value)) return [];
  return [`${name} ${ajv.errorsText(validate.errors, { dataVar: '' })}`];
}

/** Express ignores the case of a path and a slash at its end. */
const templates = operations.map(({ method, path, operation }) => ({
  method: method.toUpperCase(),
  operation,
  pointer: `#/paths/${escaped(path)}/${method}/responses`,
  // The path of an issuer may have several segments.
  shape: new RegExp(
    `^${path
      .replaceAll('.', '\\.')
      .replace('{issuerPath}', '.+')
      .replace(/\{\w+\}/, '[^/]+')}/?$`,
    'i',
  ),
}));

/** What is said of the response to this request, and where; of one without a route, what any may get. */
function describedResponse({ method, url, status }: Exchange): [ResponseObject, string] {
  const path = url.replace(/^https?:\/\/[^/]*/, '').replace(/\?.*/, '');
  const plain = path.replace(/^\/api\/auth/i, '/auth');
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = templates.find((known) => known.method === wanted && known.shape.test(plain));
  const any = openApi.components.responses.AnyRequest;
  if (any === undefined) throw new Error('the response AnyRequest is not described');
  if (found === undefined) return [any, '#/components/responses/AnyRequest'];
  const key = String(status) in found.operation.responses ? String(status) : 'default';
  return resolved(found.operation.responses[key] ?? any, `${found.pointer}/${key}`);
}

function headerViolations(
  { headers }: Exchange,
  described: NonNullable<ResponseObject['headers']>,
  pointer: string,
): string[] {
  const names = new Set(Object.keys(described).map((name) => name.toLowerCase()));
  const sent = Object.keys(headers).filter((name) => [headers[name] ?? []].flat().length > 0);
  const unknown = sent.filter((name) => TELLING.test(name) && !names.has(name));
  const wrong = Object.entries(described).flatMap(([name, reference]) => {
    const [{ required }, place] = resolved(reference, `${pointer}/headers/${escaped(name)}`);
    const value = headers[name.toLowerCase()];
    if (value === undefined) return required === true ? [`${name} is missing`] : [];
    return [value].flat().flatMap((one) => faultsOf(`${place}/schema`, String(one), name));
  });
  return [...unknown.map((name) => `${name} is not described`), ...wrong];
}

function bodyViolations(
  { method, status, headers, body }: Exchange,
  content: NonNullable<ResponseObject['content']>,
  pointer: string,
): string[] {
  const type = String(headers['content-type'] ?? '').replace(/;.*/, '');
  const types = Object.keys(content);
  if (types.length === 0) return body === '' ? [] : ['the body is not described'];
  if (!types.includes(type)) return [`the media type "${type}" is none of ${types.join(', ')}`];
  if (method === 'HEAD' || !type.endsWith('json')) return [];
  const value = jsonOf(body);
  if (value === undefined) return ['the body is not JSON'];
  const place = `${pointer}/content/${escaped(type)}/schema`;
  const lies = type === 'application/problem+json' && value.status !== status;
  return [
    ...(lies ? ['the status in the body is another one'] : []),
    ...faultsOf(place, value, ''),
  ];
}

function jsonOf(body: string): { status?: number } | undefined {
  try {
    return JSON.parse(body) as { status?: number };
  } catch {
    return undefined;
  }
}

/** All in which a response differs from the OpenAPI document. */
export function violationsOf(exchange: Exchange): string[] {
  const { method, url, status } = exchange;
  // The response to a preflight belongs to CORS.
  if (method === 'OPTIONS' && status === 204) return [];
  const [{ headers = {}, content = {} }, pointer] = describedResponse(exchange);
  return [
    ...headerViolations(exchange, headers, pointer),
    ...bodyViolations(exchange, content, pointer),
  ].map((violation) => `${method} ${url.slice(0, 200)} → ${status}: ${violation} (${pointer})`);
}
