import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveObserver } from './http-server.ts';
import { METRICS } from './metric-list.ts';
import { openMetrics, SERIES_LIMIT } from './metrics.ts';

test('counters, gauges and histograms are told in the text format', () => {
  const metrics = openMetrics();
  metrics.add('plinth_evictions_total', { code: '429' });
  metrics.add('plinth_evictions_total', { code: '429' });
  metrics.set('plinth_ledger_entries', 3, { ledger: 'a "b"\n' });
  metrics.observe('plinth_look_seconds', 0.05, { queue: 'node' });
  const text = metrics.text();
  assert.match(text, /# TYPE plinth_evictions_total counter\nplinth_evictions_total\{code="429"\} 2\n/);
  assert.match(text, /plinth_ledger_entries\{ledger="a \\"b\\"\\n"\} 3/);
  assert.match(text, /plinth_look_seconds_bucket\{queue="node",le="0.02"\} 0\n/);
  assert.match(text, /plinth_look_seconds_bucket\{queue="node",le="0.1"\} 1\n/);
  assert.match(text, /plinth_look_seconds_count\{queue="node"\} 1\n/);
});

test('no metric is labelled by what a cluster has thousands of, and none grows past its bound', () => {
  for (const [name, { labels }] of Object.entries(METRICS))
    for (const label of labels)
      assert.ok(!['node', 'pod', 'uid', 'namespace', 'nonce'].includes(label), `${name} ${label}`);
  const metrics = openMetrics();
  for (let code = 0; code < 5_000; code++) metrics.add('plinth_evictions_total', { code: String(code) });
  const lines = metrics
    .text()
    .split('\n')
    .filter((line) => line.startsWith('plinth_evictions_total{'));
  assert.equal(lines.length, SERIES_LIMIT + 1);
  assert.ok(lines.includes(`plinth_evictions_total{code="other"} ${5_000 - SERIES_LIMIT}`));
});

test('figures that cannot be told are an answer of 500, and the next question is answered', async () => {
  let fails = true;
  await using observer = await serveObserver({
    ...{
      host: '127.0.0.1',
      port: 0,
      whyDead: () => undefined,
      whyNotReady: () => 'not every kind was listed yet',
    },
    metrics() {
      if (fails) throw new Error('no /proc');
      return 'a 1\n';
    },
  });
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${observer.port}${path}`);
    return [answer.status, await answer.text()];
  };
  assert.deepEqual(await ask('/metrics'), [500, 'no /proc\n']);
  fails = false;
  assert.deepEqual(await ask('/metrics'), [200, 'a 1\n']);
  assert.deepEqual(await ask('/healthz'), [200, 'ok\n']);
  assert.deepEqual(await ask('/readyz'), [503, 'not every kind was listed yet\n']);
  assert.equal((await ask('/else'))[0], 404);
});
