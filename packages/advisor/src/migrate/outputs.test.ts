import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { parse, stringify } from 'yaml';
import { type Pool, readPools } from './pool.ts';

// What clouds answered, from packages that publish it; clouds.test.ts holds the readers against the types of the SDKs.

const FOLDER = join(import.meta.dirname, '__fixtures__/outputs');
const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

const expected: Readonly<Record<string, Pool>> = {
  'eks-describe-nodegroup.json': {
    ...{ platform: 'eks', system: 'amazon-linux', name: 'my-eks-nodegroup', nodes: 1, surge: '1' },
    properties: { kubernetes: '1.26', architecture: 'amd64', gpu: 'none', fips: 'no', 'os-type': 'linux' },
    names: {
      ...{ pool: 'my-eks-nodegroup', cluster: 'my-eks-cluster', 'vm-size': 't3.medium' },
      'node-role': 'arn:aws:iam::111122223333:role/role-name',
      ...{ 'min-nodes': '1', 'max-nodes': '3', 'from-os-sku': 'AL2_x86_64' },
      subnets: 'subnet-0e2907431c9988b72 subnet-04ad87f71c6e5ab4d subnet-09d912bb63ef21b9a',
    },
  },
  'gke-clusters-list.json': {
    // Two nodes in each of three zones. It says nothing of surge, nor of Secure Boot, which is then off.
    ...{
      platform: 'gke',
      system: 'container-optimized-os',
      name: 'default-111-111-111-111-gke-17',
      nodes: 6,
    },
    surge: undefined,
    properties: {
      ...{ kubernetes: '1.14', architecture: 'amd64', gpu: 'none', autopilot: 'no', 'os-type': 'linux' },
    },
    names: {
      ...{ pool: 'default-111-111-111-111-gke-17', cluster: 'test-cluster', location: 'europe-west2' },
      ...{ 'vm-size': 'n1-standard-8', 'from-os-sku': 'COS' },
    },
  },
};

suite('what clouds answered', () => {
  test('each answer says where it is from and under which licence', () => {
    const sources = parse(textOf('sources.yaml')) as Record<string, { of: Record<string, string> }>;
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
    assert.deepEqual(files.sort(), Object.keys(sources).sort());
    assert.deepEqual(files.sort(), Object.keys(expected).sort());
    for (const { of } of Object.values(sources)) assert.equal(of['licence'], 'Apache-2.0');
  });

  for (const [name, pool] of Object.entries(expected))
    test(`${name}, as JSON and as YAML`, () => {
      const text = textOf(name);
      assert.deepEqual(readPools(text, name), [pool]);
      assert.deepEqual(readPools(stringify(JSON.parse(text)), name), [pool]);
    });

  test('broken JSON is not read as YAML, and large or endless YAML not at all', () => {
    const name = 'eks-describe-nodegroup.json';
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [each, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg'].map(([to, from]) => [to, from]))
      bomb.push(`${each}: &${each} [${`*${before}, `.repeat(9)}]`);
    for (const text of [
      textOf(name).replace('"ACTIVE",', '"ACTIVE"'),
      `# ${'x'.repeat(1024 * 1024)}\n${stringify(JSON.parse(textOf(name)))}`,
      bomb.join('\n'),
      'name: [',
    ])
      assert.throws(
        () => readPools(text, name),
        (error: unknown) => error instanceof PlinthError && /neither JSON nor YAML/.test(error.message),
      );
  });
});
