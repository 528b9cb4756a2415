type Labels = Record<string, string | number>;

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/;

/** What a service shows on its metrics port. */
export class Figures {
  private constructor(readonly samples: readonly Sample[]) {}

  static async read(port: number | string): Promise<Figures> {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Figures(lines.map(sampleOf));
  }

  /** The sum of all samples of this name that have these labels; undefined if there is none. */
  get(name: string, labels: Labels = {}): number | undefined {
    const found = this.samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === String(value)),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }

  /** The number of requests that have their response. */
  requests(method: string, route: string, status?: number): number {
    const labels = { method, route, ...(status !== undefined && { status }) };
    return this.get('http_request_duration_seconds_count', labels) ?? 0;
  }

  /** The values of a label. */
  valuesOf(label: string): string[] {
    const values = this.samples.flatMap(({ labels }) => labels[label] ?? []);
    return [...new Set(values)].sort();
  }
}

function sampleOf(line: string): Sample {
  const [, name = '', pairs = '', value] = LINE.exec(line) ?? [];
  if (name === '') throw new Error(`not a sample: ${line}`);
  const labels = [...pairs.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]);
  return { name, labels: Object.fromEntries(labels) as Sample['labels'], value: Number(value) };
}
