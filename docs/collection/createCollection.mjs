import fs from 'node:fs';
import { promisify } from 'node:util';
import postman from 'openapi-to-postmanv2';
import { parse } from 'yaml';

/**
 * Returns openapi.yaml as a Postman collection, always the same text for the same document.
 *
 * @returns {Promise<string>}
 */
export async function createCollection() {
  const source = fs.readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8');
  const document = parse(source, withExample);
  document.servers = [{ url: 'http://localhost:5501' }];
  const result = await promisify(postman.convertV2)(
    { type: 'json', data: document },
    {
      enableOptionalParameters: false,
      folderStrategy: 'Tags',
      parametersResolution: 'Example',
      requestNameSource: 'URL',
    },
  );
  if (!result.result) throw new Error(result.reason);
  return `${JSON.stringify(result.output[0].data, withoutRandomParts, 2)}\n`;
}

// The converter reads `example` of OpenAPI 3.0, not the `examples` of a schema in 3.1.
function withExample(_key, value) {
  return Array.isArray(value?.examples) ? { ...value, example: value.examples[0] } : value;
}

// The ids are random, and so is each response for which the document has no example.
function withoutRandomParts(key, value) {
  if (key === 'id' || key === '_postman_id') return undefined;
  return key === 'response' ? [] : value;
}
