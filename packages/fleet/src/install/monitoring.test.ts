import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS, type MetricSpec } from '../runtime/index.ts';
import { ALERTS } from './alerts.ts';
import { PANELS } from './dashboard.ts';

// An alert on a metric that nobody writes never fires, and nobody finds out.

const known: Readonly<Record<string, MetricSpec>> = METRICS;
/** Labels that Prometheus adds to what it scrapes, and to buckets. */
const ADDED = ['pod', 'container', 'le'];

/** Metrics that an expression asks for, with the labels it asks of each. */
function askedOf(expression: string): [metric: string, labels: string[]][] {
  return [...expression.matchAll(/\b((?:plinth|process)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', selector = '']) => [
      metric,
      [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    ],
  );
}

function specOf(metric: string): MetricSpec {
  const plain = known[metric];
  if (plain) return plain;
  const histogram = known[metric.replace(/_(?:bucket|sum|count)$/, '')];
  assert.equal(histogram?.type, 'histogram', `nobody writes ${metric}`);
  return histogram;
}

const expressions = [
  ...ALERTS.map(({ name, expression }) => [name, expression] as const),
  ...PANELS.flatMap(({ title, queries }) => queries.map(([expression]) => [title, expression] as const)),
];

for (const [name, expression] of expressions)
  test(`${name} asks for metrics and labels that the operator writes`, () => {
    const asked = askedOf(expression);
    assert.ok(asked.length > 0, 'it asks for no metric');
    const labels = asked.flatMap(([metric, ofIt]) => {
      const spec = specOf(metric);
      for (const label of ofIt)
        assert.ok([...spec.labels, ...ADDED].includes(label), `${metric} has no ${label}`);
      return spec.labels;
    });
    const [, grouped = ''] = /\bby \(([^)]*)\)/.exec(expression) ?? [];
    for (const label of grouped.split(',').map((each) => each.trim()))
      assert.ok(label === '' || [...labels, ...ADDED].includes(label), `nothing has ${label}`);
  });

test('texts of alerts speak of labels that their expression leaves', () => {
  for (const { name, expression, summary, action } of ALERTS) {
    const left = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
      list.split(',').map((each) => each.trim()),
    );
    const all = left.length > 0 ? left : askedOf(expression).flatMap(([metric]) => specOf(metric).labels);
    for (const [, label = ''] of `${summary} ${action}`.matchAll(/\$labels\.(\w+)/g))
      assert.ok(all.includes(label), `${name} speaks of ${label}`);
  }
});

test('every alert of the specification is there', () => {
  const wanted = [
    /Halted/,
    /DeadlineAtRisk/,
    /DrainBlocked/,
    /Unreachable/,
    /SlotHeld/,
    /OperatorAbsent/,
    /GateErroring/,
    /Quarantined/,
  ];
  for (const pattern of wanted)
    assert.ok(
      ALERTS.some(({ name }) => pattern.test(name)),
      String(pattern),
    );
});
