import { METRICS, type MetricName, type MetricSpec } from './metric-list.ts';

/** Series of one metric: beyond them new ones are counted under the label "other", so that no mistake fills the memory of two servers. */
export const SERIES_LIMIT = 300;

type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  set(name: MetricName, value: number, labels?: Labels): void;
  add(name: MetricName, labels?: Labels, by?: number): void;
  observe(name: MetricName, value: number, labels?: Labels): void;
  /** Forgets every series of a metric, before what is true now is set. */
  clear(name: MetricName): void;
  /** In the text format of Prometheus. */
  text(): string;
}

interface Series {
  readonly labels: string;
  value: number;
  readonly counts: number[];
  count: number;
}

/** openMetrics keeps the metrics of METRICS. */
export function openMetrics(): Metrics {
  const all = new Map<string, Map<string, Series>>();
  const specOf = (name: MetricName): MetricSpec => METRICS[name];

  function series(name: MetricName, labels: Labels): Series {
    const own = all.get(name) ?? new Map<string, Series>();
    all.set(name, own);
    const spec = specOf(name);
    const text = (value: (label: string) => string) =>
      spec.labels.map((label) => `${label}="${escaped(value(label))}"`).join(',');
    const key = text((label) => labels[label] ?? '');
    const known = own.get(key);
    if (known) return known;
    if (own.size >= SERIES_LIMIT) {
      const other = text(() => 'other');
      if (key !== other)
        return series(name, Object.fromEntries(spec.labels.map((label) => [label, 'other'])));
    }
    const made: Series = { labels: key, value: 0, counts: (spec.buckets ?? []).map(() => 0), count: 0 };
    own.set(key, made);
    return made;
  }

  return {
    set(name, value, labels = {}) {
      series(name, labels).value = value;
    },
    add(name, labels = {}, by = 1) {
      series(name, labels).value += by;
    },
    observe(name, value, labels = {}) {
      const own = series(name, labels);
      own.count++;
      own.value += value;
      specOf(name).buckets?.forEach((most, index) => {
        if (value <= most) own.counts[index] = (own.counts[index] ?? 0) + 1;
      });
    },
    clear(name) {
      all.get(name)?.clear();
    },
    text() {
      const lines: string[] = [];
      for (const [name, own] of all) {
        const spec = specOf(name as MetricName);
        lines.push(`# HELP ${name} ${spec.help}`, `# TYPE ${name} ${spec.type}`);
        for (const each of own.values()) lines.push(...linesOf(name, spec, each));
      }
      return `${lines.join('\n')}\n`;
    },
  };
}

function linesOf(name: string, { type, buckets = [] }: MetricSpec, { labels, value, counts, count }: Series) {
  const braces = (more = '') => {
    const inner = [labels, more].filter((text) => text !== '').join(',');
    return inner === '' ? '' : `{${inner}}`;
  };
  if (type !== 'histogram') return [`${name}${braces()} ${value}`];
  return [
    ...buckets.map((most, index) => `${name}_bucket${braces(`le="${most}"`)} ${counts[index] ?? 0}`),
    `${name}_bucket${braces('le="+Inf"')} ${count}`,
    `${name}_sum${braces()} ${value}`,
    `${name}_count${braces()} ${count}`,
  ];
}

function escaped(value: string): string {
  return value.slice(0, 128).replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}
