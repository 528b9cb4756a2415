/**
 * Renders the base and the example of deploy/kubernetes, and validates each object against the published
 * schema of its kind. Objects must also refer to what exists: config maps, secrets, claims and selectors.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Made by whoever deploys. */
const GIVEN_SECRETS = ['auth-service'];

/** @typedef {{ apiVersion: string, kind: string, metadata: { name: string }, [key: string]: any }} Manifest */

/** @param {string} folder */
function render(folder) {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
  return /** @type {Manifest[]} */ (parseAllDocuments(stdout).map((document) => document.toJS()));
}

/** @param {Manifest} manifest */
async function schemaErrors(manifest) {
  const { apiVersion, kind } = manifest;
  const module = await import(`kubernetes-models/${apiVersion}/${kind}`);
  try {
    new module[kind](manifest).validate();
    return [];
  } catch (error) {
    return [`${kind} ${manifest.metadata.name}: ${error instanceof Error ? error.message : error}`];
  }
}

/**
 * What TypeScript says of fields that a kind does not have: the schemas let them pass.
 * @param {Manifest[]} manifests
 */
function unknownFields(manifests) {
  const file = path.join(import.meta.dirname, `manifests-${process.pid}.mts`);
  const source = manifests.map(
    ({ apiVersion, kind, ...rest }, n) =>
      `import type { I${kind} as I${n} } from 'kubernetes-models/${apiVersion}/${kind}';\n` +
      `export const manifest${n}: I${n} = ${JSON.stringify({ apiVersion, kind, ...rest }, null, 1)};\n`,
  );
  fs.writeFileSync(file, source.join(''));
  try {
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'node16',
      '--ignoreConfig',
    ];
    const { stdout } = spawnSync(process.execPath, [tsc, ...options, file], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line.includes('error TS'));
  } finally {
    fs.rmSync(file);
  }
}

/** @param {Manifest[]} manifests */
function danglingReferences(manifests) {
  const text = JSON.stringify(manifests);
  const names = (/** @type {string} */ kind) =>
    manifests.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
  const used = (/** @type {RegExp} */ pattern) =>
    [...text.matchAll(pattern)].map(([, name]) => String(name));
  const missing = [
    ...used(/"configMapRef":\{"name":"([^"]+)"/g).filter((n) => !names('ConfigMap').includes(n)),
    ...used(/"secretName":"([^"]+)"/g).filter((n) => !GIVEN_SECRETS.includes(n)),
    ...used(/"claimName":"([^"]+)"/g).filter((n) => !names('PersistentVolumeClaim').includes(n)),
  ];
  return missing.map((name) => `nothing is named ${name}`);
}

let failed = 0;
const example = render('deploy/kubernetes/example');
for (const manifest of example) {
  const errors = await schemaErrors(manifest);
  failed += errors.length;
  process.stdout.write(
    `${errors.length === 0 ? 'ok     ' : 'FAILED '} ${manifest.kind} ${manifest.metadata.name}\n`,
  );
  for (const error of errors) process.stderr.write(`${error}\n`);
}
for (const error of [...danglingReferences(example), ...unknownFields(example)]) {
  failed += 1;
  process.stderr.write(`${error}\n`);
}
process.stdout.write(`${example.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
