import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { findKubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import type { z } from 'zod';
import { keepLabels } from './keep-labels.ts';

// What a node may do to its own labels, by a real API server with the admission of nodes switched on as on a node.

for (const kubernetes of await findKubernetesPrograms()) {
  test(`a node of Kubernetes ${kubernetes.minor} may give itself the labels of its config, and not those of others`, {
    skip: kubernetes.skip,
    timeout: 300_000,
  }, async () => {
    await using plane = await startControlPlane(kubernetes);
    const { kubectl } = plane;
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1', labels: { others: 'stays' } },
    };
    await writeFile(plane.at('node.json'), JSON.stringify(node));
    await kubectl('create', '-f', plane.at('node.json'));
    const asNode = ['--as=system:node:node-1', '--as-group=system:nodes', '--as-group=system:authenticated'];
    const client = {
      find: async <T>(path: string, schema: z.ZodType<T>) =>
        schema.parse(JSON.parse(await kubectl('get', `--raw=${path}`, ...asNode))),
      patch: async (path: string, change: object) => {
        const name = path.split('/').at(-1) ?? '';
        await kubectl('patch', 'node', name, '--type=merge', `--patch=${JSON.stringify(change)}`, ...asNode);
      },
    };
    const labels = async () =>
      JSON.parse(await kubectl('get', 'node', 'node-1', '-o', 'json')).metadata.labels as Record<
        string,
        string
      >;

    const zone = 'topology.kubernetes.io/zone';
    await keepLabels(client, 'node-1', { [zone]: 'hall-2', 'example.com/disk': 'ssd' });
    assert.deepEqual(await labels(), { others: 'stays', [zone]: 'hall-2', 'example.com/disk': 'ssd' });
    await keepLabels(client, 'node-1', { disk: 'hdd' });
    assert.deepEqual(await labels(), { others: 'stays', disk: 'hdd' });
    await assert.rejects(
      keepLabels(client, 'node-1', { 'node-restriction.kubernetes.io/a': '' }),
      /not allowed|forbidden/i,
    );
  });
}
