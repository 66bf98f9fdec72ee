import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GIVEN, keepLabels, planLabels } from './keep-labels.ts';

type Texts = Record<string, string>;

/** What an API server makes of a merge patch. */
function merge(target: Texts | undefined, change: Readonly<Record<string, string | null>>): Texts {
  const entries = Object.entries({ ...target, ...change });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}

interface Metadata {
  labels?: Texts;
  annotations?: Texts;
}

function apply(node: Metadata, change: object | undefined): Metadata {
  if (!change) return node;
  const { metadata } = change as { metadata: { labels: Texts; annotations: Texts } };
  return {
    labels: merge(node.labels, metadata.labels),
    annotations: merge(node.annotations, metadata.annotations),
  };
}

test('planLabels gives labels, changes them and takes its own off again', () => {
  const others = { 'kubernetes.io/hostname': 'node-1' };
  let node: Metadata = { labels: others };
  node = apply(node, planLabels(node, { disk: 'ssd', zone: 'a' }));
  assert.deepEqual(node.labels, { ...others, disk: 'ssd', zone: 'a' });
  node = apply(node, planLabels(node, { disk: 'hdd' }));
  assert.deepEqual(node.labels, { ...others, disk: 'hdd' });
  node = apply(node, planLabels(node, {}));
  assert.deepEqual(node, { labels: others, annotations: {} });
  assert.equal(planLabels(node, {}), undefined);
});

const name = fc.constantFrom('a', 'b', 'example.com/c', 'constructor');
const labels = fc.dictionary(name, fc.constantFrom('', '1', '2'), { noNullPrototype: true });

test('whatever configs follow one another, the node has the labels of the last and all of others', () => {
  fc.assert(
    fc.property(fc.array(labels, { minLength: 1 }), (configs) => {
      let node: Metadata = { labels: { other: 'stays' } };
      for (const wanted of configs) {
        node = apply(node, planLabels(node, wanted));
        assert.deepEqual(node.labels, { other: 'stays', ...wanted });
        assert.equal(planLabels(node, wanted), undefined);
        assert.equal(node.annotations?.[GIVEN] ?? '', Object.keys(wanted).sort().join(','));
      }
    }),
  );
});

test('keepLabels asks nothing of a node that is not there, nor of one that has them', async () => {
  for (const node of [undefined, { metadata: { labels: { a: '1' }, annotations: { [GIVEN]: 'a' } } }]) {
    const find = async <T>() => node as T | undefined;
    const patch = async () => assert.fail('it was changed');
    await keepLabels({ find, patch }, 'node-1', { a: '1' });
  }
});
