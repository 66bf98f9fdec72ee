import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gateSpec } from '../../../objects/index.ts';
import { celRequest, evaluateApart } from './ask-cel.ts';
import { evaluateCel } from './evaluate-cel.ts';

const text = JSON.stringify({
  spec: { replicas: 3, share: 0.5 },
  status: { readyReplicas: 3, conditions: [{ type: 'Available', status: 'True' }] },
});
const cel = (place: object) =>
  gateSpec.parse({ cel: { name: 'n', expression: 'true', ...place } }).cel ?? assert.fail();

suite('gates of CEL', () => {
  test('an expression passes or fails; whatever it cannot tell is unknown', () => {
    const state = (expression: string) => evaluateCel(expression, text).state;
    assert.deepEqual(
      [
        'object.status.readyReplicas >= object.spec.replicas',
        'object.status.readyReplicas + 1 == 4',
        "object.status.conditions.exists(c, c.type == 'Available' && c.status == 'True')",
        'object.spec.share < 1',
        '!has(object.metadata)',
      ].map(state),
      Array(5).fill('pass'),
    );
    assert.equal(state('object.status.readyReplicas > object.spec.replicas'), 'fail');
    const unknown = [
      'object.status.updatedReplicas == 3',
      'object.spec',
      '1',
      'object.',
      'other == 1',
      '1 / 0 == 1',
    ];
    for (const expression of unknown) assert.equal(state(expression), 'unknown', expression);
    for (const other of ['', '{', '['.repeat(100_000)])
      assert.equal(evaluateCel('true', other).state, 'unknown');
  });

  test('integers are integers up to what CEL has', () => {
    const object =
      '{"a":9223372036854775807,"b":-9223372036854775808,"c":9223372036854775808,"d":1.0,"e":1e3}';
    assert.equal(
      evaluateCel(
        'object.a == 9223372036854775807 && object.b < -9223372036854775807 && type(object.c) == double && object.d == 1 && object.e == 1000',
        object,
      ).state,
      'pass',
    );
  });

  test('an expression that would never end is ended, and the next one is asked all the same', async () => {
    const list = JSON.stringify({ items: Array.from({ length: 1000 }, (_, index) => index) });
    const nested = ['a', 'b', 'c', 'd'].reduceRight(
      (inner, name) => `object.items.all(${name}, ${inner})`,
      'a + b + c + d >= 0',
    );
    const { state, reason } = await evaluateApart({ expression: nested, text: list }, 300);
    assert.equal(state, 'unknown');
    assert.match(reason.text, /was not done after 300 ms/);
    const next = await evaluateApart({ expression: 'object.items.size() == 1000', text: list }, 60_000);
    assert.equal(next.state, 'pass');
  });

  test('an expression that takes all memory ends its own thread and nothing else', async () => {
    const list = JSON.stringify({ items: Array.from({ length: 1000 }, (_, index) => `item ${index}`) });
    const expression =
      'object.items.map(a, object.items.map(b, object.items.map(c, a + b + c))).size() == 1000';
    const { state } = await evaluateApart({ expression, text: list }, 120_000);
    assert.equal(state, 'unknown');
  });

  test('one object is asked for, by its name', () => {
    const paths = [
      { resource: 'nodes' },
      { resource: 'pods', namespace: 'shop' },
      { apiVersion: 'apps/v1', resource: 'deployments', namespace: 'shop' },
      { apiVersion: 'example.org/v1alpha1', resource: 'things', name: 'a:b' },
    ].map((place) => celRequest(cel(place)).path);
    assert.deepEqual(paths, [
      '/api/v1/nodes/n',
      '/api/v1/namespaces/shop/pods/n',
      '/apis/apps/v1/namespaces/shop/deployments/n',
      '/apis/example.org/v1alpha1/things/a%3Ab',
    ]);
    for (const name of ['', '..', 'a/b', '.', 'a/../../secrets/b'])
      assert.throws(() => cel({ resource: 'pods', name }), name);
    for (const resource of ['pods/log', '..', '']) assert.throws(() => cel({ resource }), resource);
  });
});
