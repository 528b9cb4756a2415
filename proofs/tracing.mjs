/**
 * Whether OpenTelemetry's auto-instrumentation sees a login: the HTTP server, Express's route and each
 * statement. Installs it into a scratch folder and receives what it exports. Needs `npm run build`.
 *
 *   npm run proof:tracing
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { certsDir } from '../tests/harness/certsDir.js';
import { createDatabase } from '../tests/harness/createDatabase.js';
import { migrate } from '../tests/harness/migrate.js';
import { portOf } from '../tests/harness/portOf.js';
import { serviceEnvironment } from '../tests/harness/serviceEnvironment.js';
import { startPostgres } from '../tests/harness/startPostgres.js';
import { startService } from '../tests/harness/startService.js';
import { tempFolder } from '../tests/harness/tempFolder.js';
import { until } from '../tests/harness/until.js';

/** The last version that also runs on Node 20. */
const PACKAGE = '@opentelemetry/auto-instrumentations-node@0.81.2';
const REGISTRATION = '1bf7651916cd43dd8448eb211c80319c';
const LOGIN = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const ACCOUNT = {
  firstName: 'Ada',
  lastName: 'Lovelace',
  email: 'ada@example.com',
  password: 'correct horse battery',
};

/**
 * @typedef {object} Span as in OTLP's JSON
 * @property {string} traceId
 * @property {string} spanId
 * @property {string} [parentSpanId]
 * @property {string} name
 * @property {{ key: string, value: { stringValue?: string } }[]} attributes
 */

const scratch = tempFolder('tracing');
const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', scratch, PACKAGE], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (npm.status !== 0) throw new Error(`npm cannot install ${PACKAGE}`);

/** @type {Span[]} */
const spans = [];
const collector = http.createServer(async (req, res) => {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  for (const { scopeSpans } of JSON.parse(text).resourceSpans)
    for (const scope of scopeSpans) spans.push(...scope.spans);
  res.setHeader('Content-Type', 'application/json').end('{}');
});
collector.listen(0, '127.0.0.1');
await once(collector, 'listening');

const postgres = await startPostgres({ fsync: false });
const env = serviceEnvironment(await createDatabase(postgres), { CERTS_DIR: certsDir() });
migrate(env);
const { program, origin } = await startService({
  env: {
    ...env,
    NODE_PATH: path.join(scratch, 'node_modules'),
    NODE_OPTIONS: '--require @opentelemetry/auto-instrumentations-node/register',
    OTEL_SERVICE_NAME: 'auth-service',
    OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'router',
    OTEL_NODE_RESOURCE_DETECTORS: 'none',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${portOf(collector)}`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  },
});
await program.responds(`${origin}/health/ready`, 200);

/** @param {string} target @param {string} trace */
async function post(target, trace) {
  const response = await fetch(origin + target, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      traceparent: `00-${trace}-${CALLER}-01`,
    },
    body: JSON.stringify(ACCOUNT),
  });
  if (!response.ok) throw new Error(`${target}: ${response.status} ${await response.text()}`);
}
await post('/auth/register', REGISTRATION);
await post('/auth/login', LOGIN);

/** @param {Span} span @param {string} key */
const attribute = (span, key) =>
  span.attributes.find((entry) => entry.key === key)?.value.stringValue;
const route = '/auth/login';
const server = () =>
  spans.find((span) => span.parentSpanId === CALLER && attribute(span, 'http.route') === route);
await until(server, 'the span of the login').catch(() => undefined);
await program.stop();
await postgres.stop();
collector.close();

/** @type {[what: string, isProven: boolean][]} */
const claims = [
  [
    `the server's span continues the caller's trace, and is named POST ${route}`,
    server()?.name === `POST ${route}`,
  ],
  [
    `Express's handler has the route ${route}`,
    spans.some(
      (span) =>
        attribute(span, 'express.type') === 'request_handler' &&
        attribute(span, 'http.route') === route,
    ),
  ],
  ...['user-credentials', 'attempt-counters', 'session-open'].map(
    (name) =>
      /** @type {[string, boolean]} */ ([
        `the statement ${name} is in the trace`,
        spans.some(
          ({ traceId, name: span }) => traceId === LOGIN && span.startsWith(`pg.query:${name} `),
        ),
      ]),
  ),
  [
    'the log has the trace',
    program.output.includes(`"traceId":"${LOGIN}"`) &&
      program.output.includes(`"trace_id":"${LOGIN}"`),
  ],
  [
    'no span holds the e-mail or the password',
    ![ACCOUNT.email, ACCOUNT.password].some((secret) => JSON.stringify(spans).includes(secret)),
  ],
];
for (const [what, isProven] of claims)
  process.stdout.write(`${isProven ? 'ok' : 'FAILED'}  ${what}\n`);
if (!claims.every(([, isProven]) => isProven)) process.exitCode = 1;
