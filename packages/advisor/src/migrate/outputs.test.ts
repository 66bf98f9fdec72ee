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

const aks = { platform: 'aks' } as const;
const expected: Readonly<Record<string, Pool | readonly Pool[]>> = {
  'aks-show.json': [
    {
      ...{ ...aks, system: 'ubuntu', name: 'system', nodes: 3, surge: '10%' },
      properties: {
        ...{ kubernetes: '1.34', 'os-type': 'linux', fips: 'no', 'secure-boot': 'no', generation: '2' },
        ...{ architecture: 'amd64', gpu: 'none', confidential: 'no', sandboxing: 'no' },
        channel: 'SecurityPatch',
      },
      names: {
        ...{ pool: 'system', cluster: 'prod', 'resource-group': 'rg1', 'vm-size': 'Standard_D4ds_v5' },
        ...{ mode: 'System', 'from-os-sku': 'Ubuntu' },
      },
    },
    {
      ...{ ...aks, system: 'azure-linux', name: 'arm', nodes: 6, surge: '33%' },
      properties: {
        ...{ kubernetes: '1.34', 'os-type': 'linux', fips: 'yes', 'secure-boot': 'no', generation: '2' },
        ...{ architecture: 'arm64', gpu: 'none', confidential: 'no', sandboxing: 'no' },
        ...{ 'artifact-streaming': 'yes', channel: 'SecurityPatch' },
      },
      names: {
        ...{ pool: 'arm', cluster: 'prod', 'resource-group': 'rg1', 'vm-size': 'Standard_D8ps_v6' },
        ...{ mode: 'User', 'from-os-sku': 'AzureLinux' },
      },
    },
  ],
  'aks-rest-nodepool.json': {
    ...{ ...aks, system: 'azure-linux-os-guard', name: 'guard', nodes: 2, surge: '10%' },
    properties: {
      ...{ kubernetes: '1.33', 'os-type': 'linux', fips: 'yes', 'secure-boot': 'yes', generation: '2' },
      ...{ architecture: 'amd64', gpu: 'nvidia', confidential: 'no', sandboxing: 'no' },
    },
    names: {
      ...{ pool: 'guard', cluster: 'prod', 'resource-group': 'rg1', 'vm-size': 'Standard_NC24ads_A100_v4' },
      ...{ mode: 'User', 'from-os-sku': 'AzureLinuxOSGuard' },
    },
  },
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

type Types = Readonly<Record<string, Readonly<Record<string, string>>>>;
const clouds = parse(readFileSync(join(FOLDER, '../clouds.yaml'), 'utf8')) as Readonly<
  Record<string, { readonly types: Types }>
>;
const sources = parse(textOf('sources.yaml')) as Readonly<
  Record<
    string,
    {
      readonly of?: Readonly<Record<string, string>>;
      readonly derived?: { readonly types: string; readonly type: string };
    }
  >
>;

/** What an answer has that its type has not, or that is of another kind there. */
function strangeIn(value: unknown, type: string, types: Types, at = type): string[] {
  // What was never set is null, whatever its kind.
  if (value === null) return [];
  if (type.endsWith('[]'))
    return Array.isArray(value)
      ? value.flatMap((one) => strangeIn(one, type.slice(0, -2), types, at))
      : [`${at} is no list`];
  const fields = types[type];
  if (fields === undefined) return typeof value === type ? [] : [`${at} is no ${type}`];
  if (typeof value !== 'object') return [`${at} is no object`];
  return Object.entries(value).flatMap(([name, of]) => {
    // The API keeps most of a resource below "properties"; az adds the group to each.
    if (name === 'properties') return strangeIn(of, type, types, at);
    if (name === 'resourceGroup') return strangeIn(of, 'string', types, `${at}.${name}`);
    const known = fields[name];
    return known === undefined ? [`${at} has no ${name}`] : strangeIn(of, known, types, `${at}.${name}`);
  });
}

suite('what clouds answered', () => {
  test('each answer says where it is from and under which licence, or that it was not recorded', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
    assert.deepEqual(files.sort(), Object.keys(sources).sort());
    assert.deepEqual(files.sort(), Object.keys(expected).sort());
    for (const { of, derived } of Object.values(sources)) {
      assert.ok((of === undefined) !== (derived === undefined));
      assert.equal(of?.['licence'] ?? 'Apache-2.0', 'Apache-2.0');
    }
  });

  for (const [name, { derived }] of Object.entries(sources))
    if (derived)
      test(`${name}, which nobody recorded, has the fields of the SDK and no others`, () => {
        const types = clouds[derived.types]?.types;
        assert.ok(types);
        assert.deepEqual(strangeIn(JSON.parse(textOf(name)), derived.type, types), []);
        const wrong = { id: 3, agentPoolProfiles: [{ nodes: 'x' }], properties: { nothing: 1 } };
        assert.equal(strangeIn(wrong, 'ManagedCluster', types).length, 3);
      });

  for (const [name, pools] of Object.entries(expected))
    test(`${name}, as JSON and as YAML`, () => {
      const text = textOf(name);
      const wanted = [pools].flat();
      assert.deepEqual(readPools(text, name), wanted);
      assert.deepEqual(readPools(stringify(JSON.parse(text)), name), wanted);
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
