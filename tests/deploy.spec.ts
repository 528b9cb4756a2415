import { readFileSync } from 'node:fs';
import path from 'node:path';
import { certsDir } from './harness/certsDir';
import { freePort } from './harness/freePort';
import { ROOT } from './harness/root';
import { until } from './harness/until';
import { ServiceProcess } from './support/process';
import { createDatabase } from './support/service';

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const matchesOf = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, match = '']) => match);

const rules = read('deploy/prometheus/alerts.yml');
const operations = read('docs/operations.md');
const alerts = matchesOf(rules, /- alert: (\w+)/g);

/** What is neither a metric nor an operator, once the labels are gone. */
const NO_METRIC = /\bby \([^)]*\)|\[[^\]]*\]|\w+(?= by \(|\()|\bor\b|\b\d[\d.]*\b/g;

const metricsIn = (expression: string) =>
  expression
    .replace(/\{[^}]*\}/g, '')
    .replace(NO_METRIC, ' ')
    .match(/[a-zA-Z_:]\w*/g) ?? [];

function expressionsOf(panel: { targets?: { expr: string }[] }): string[] {
  return (panel.targets ?? []).map(({ expr }) => expr);
}

describe('the rules and the dashboard in deploy/', () => {
  /** Names of figures and their types, as the service shows them: with and without workers. */
  const types = new Map<string, string>();
  beforeAll(async () => {
    const database = await createDatabase();
    for (const WEB_CONCURRENCY of ['1', '2']) {
      const METRICS_PORT = String(await freePort());
      const settings = { METRICS_PORT, WEB_CONCURRENCY, CERTS_DIR: certsDir() };
      const service = await ServiceProcess.start(database, settings);
      await until(async () => {
        const response = await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`);
        const text = await response.text();
        for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm))
          types.set(name, type);
        return types.has('auth_ready');
      }, 'the figures');
      await service.stop('SIGKILL');
    }
  });

  /** As Prometheus stores them, and what it adds itself. */
  const stored = () => [
    'up',
    ...[...types].flatMap(([name, type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : name,
    ),
  ];

  it('name only figures that the service has', () => {
    const dashboard = JSON.parse(read('deploy/grafana/auth-service.json')) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const shown = dashboard.panels.flatMap(expressionsOf);
    expect(shown.length).toBeGreaterThan(20);
    const conditions = matchesOf(rules, /expr: (?:\|\n)?([^]*?)\n +(?:for|labels):/g);
    expect(conditions).toHaveLength(alerts.length);
    const names = [...shown, ...conditions].flatMap((expression) => {
      const found = metricsIn(expression);
      expect([expression, found]).not.toEqual([expression, []]);
      return found;
    });
    expect(names.filter((name) => !stored().includes(name))).toEqual([]);
  });

  it('use every figure of ours', () => {
    const used = read('deploy/grafana/auth-service.json');
    const ours = [...types.keys()].filter((name) => /^(?:auth|http)_/.test(name));
    expect(ours.filter((name) => !used.includes(name))).toEqual([]);
  });

  it('and docs/operations.md explains each figure', () => {
    const rows = matchesOf(operations, /^\| ((?:`(?:auth|http)_\w+`(?:, )?)+) +\|/gm);
    const documented = rows.flatMap((cell) => matchesOf(cell, /`(\w+)`/g));
    const ours = [...types.keys()].filter((name) => /^(?:auth|http)_/.test(name));
    expect(documented.sort()).toEqual(ours.sort());
  });
});

describe('the alerts in deploy/prometheus/alerts.yml', () => {
  it('have a paragraph each in docs/operations.md, which runbook_url names', () => {
    const explained = matchesOf(operations, /^### (AuthService\w+)\n\n\S/gm);
    expect(explained).toEqual(alerts);
    const links = matchesOf(rules, /runbook_url: (\S+)/g);
    expect(links).toEqual(alerts.map((name) => `docs/operations.md#${name.toLowerCase()}`));
  });

  it('have a test each', () => {
    const tested = matchesOf(
      read('deploy/prometheus/alerts.test.yml'),
      /- alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:\n/g,
    );
    expect([...new Set(tested)]).toEqual(alerts);
  });
});
