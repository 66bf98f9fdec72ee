import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { openToolbox } from '@plinth/toolbox';
import { PANELS } from './dashboard.ts';
import { monitoringManifests } from './monitoring.ts';

// Prometheus' own program reads what is installed: names and labels are looked at in monitoring.test.ts.

const folder = await scratchFolder('promql');
const tools = await openToolbox({ name: 'servers' });
const binds = [{ host: folder, inside: '/tmp/rules', readOnly: true }];

/** promtool reads JSON too, which is YAML. */
async function check(name: string, rules: unknown): Promise<string> {
  await writeFile(join(folder, name), JSON.stringify(rules));
  const { stdout } = await tools.run('/usr/bin/promtool', ['check', 'rules', `/tmp/rules/${name}`], {
    binds,
  });
  return stdout.toString();
}

const recording = (expressions: readonly string[]) => ({
  groups: [
    { name: 'queries', rules: expressions.map((expr, index) => ({ record: `query:${index}`, expr })) },
  ],
});

test('Prometheus takes the alerts', async () => {
  const [rule] = monitoringManifests('plinth-fleet').filter(
    (object): object is { spec: { groups: { rules: unknown[] }[] } } =>
      'kind' in object && object.kind === 'PrometheusRule',
  );
  assert.ok(rule, 'there are no alerts');
  const count = rule.spec.groups[0]?.rules.length;
  assert.match(await check('alerts.json', rule.spec), new RegExp(`SUCCESS: ${count} rules found`));
});

test('Prometheus takes every query of the dashboard', async () => {
  // Grafana puts the policies that were chosen in place of the variable.
  const queries = PANELS.flatMap(({ queries: ofPanel }) =>
    ofPanel.map(([expression]) => expression.replaceAll('$policy', 'workers|control-planes')),
  );
  const said = await check('queries.json', recording(queries));
  assert.match(said, new RegExp(`SUCCESS: ${queries.length} rules found`));
});

test('it refuses what is no query, so that it took them says something', async () => {
  for (const query of ['sum by (policy plinth_rollout_nodes', 'rate(plinth_looks_failed_total)'])
    await assert.rejects(check('bad.json', recording([query])), query);
});
