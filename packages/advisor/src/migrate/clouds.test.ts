import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { loadKnowledge } from '../facts/load.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { loadMoves } from './move-schema.ts';
import { planMove } from './plan.ts';
import { type Pool, readPools } from './pool.ts';
import { readAks } from './read-aks.ts';
import { readEks } from './read-eks.ts';
import { readGke } from './read-gke.ts';

// No cloud can be asked from a test. What stands in its place are the types of its own SDK: each field that is read must
// be one of them, and what it is read as must be what it is there.

type Types = Readonly<Record<string, Readonly<Record<string, string>>>>;
const clouds = parse(readFileSync(join(import.meta.dirname, '__fixtures__/clouds.yaml'), 'utf8')) as Readonly<
  Record<'aks-cli' | 'aks-rest' | 'eks' | 'gke', { readonly types: Types }>
> & { readonly values: Readonly<Record<'aks-os-sku' | 'eks-ami-type', readonly string[]>> };

/** A value of a type with all its fields, each with a value of its kind; `set` says more of some. */
function exampleOf(types: Types, type: string, set: Fields = {}): unknown {
  if (type.endsWith('[]')) return [exampleOf(types, type.slice(0, -2), set)];
  if (type === 'string') return 'text';
  if (type === 'number') return 3;
  if (type === 'boolean') return true;
  const fields = Object.entries(types[type] ?? {}).map(([name, of]) => [
    name,
    types[of.replace('[]', '')]
      ? exampleOf(types, of, fieldsOf(set[name]))
      : (set[name] ?? exampleOf(types, of)),
  ]);
  return Object.fromEntries(fields);
}

/** The same value, and each field of it that somebody asks for, as "Type.field". */
function watched(types: Types, type: string, value: unknown, asked: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => watched(types, type.replace('[]', ''), one, asked));
  const known = types[type];
  if (known === undefined || typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, field) {
      if (typeof field === 'symbol') return Reflect.get(target, field);
      asked.add(`${type}.${field}`);
      return watched(types, known[field] ?? '', Reflect.get(target, field), asked);
    },
  });
}

/** Reads one example, and tells which fields were asked for that the type does not have. */
function readExample(
  read: (data: unknown) => readonly Pool[],
  types: Types,
  type: string,
  set: Fields,
  wrap: (value: unknown) => unknown = (value) => value,
): { readonly pool: Pool | undefined; readonly strange: string[] } {
  const asked = new Set<string>();
  const [pool] = read(wrap(watched(types, type, exampleOf(types, type, set), asked)));
  const strange = [...asked].filter((each) => {
    const [of = '', field = ''] = each.split('.');
    return types[of]?.[field] === undefined;
  });
  return { pool, strange };
}

/** Fields by which one form is told from another, and what az adds to each resource. */
const BESIDE = /\.(?:agentPoolProfiles|nodePools|properties|resourceGroup)$/;
/** az and the API write these differently; each is in the types of one of the two. */
const EITHER = /\.(?:osSku|osSKU|nodeOsUpgradeChannel|nodeOSUpgradeChannel)$/;

const aksPool = {
  osSku: 'AzureLinux',
  osSKU: 'AzureLinux',
  osType: 'Linux',
  vmSize: 'Standard_D4ps_v6',
  upgradeSettings: { maxSurge: '33%' },
  currentOrchestratorVersion: '1.34.3',
  nodeImageVersion: 'AKSAzureLinux-V3gen2-202608.20.0',
  id: '/subscriptions/0/resourceGroups/rg1/providers/Microsoft.ContainerService/managedClusters/prod/agentPools/np',
};

describe('what is read of a cloud is what its SDK has', () => {
  for (const form of ['aks-cli', 'aks-rest'] as const)
    test(`${form}: a cluster and a pool`, () => {
      const { types } = clouds[form];
      const set = { agentPoolProfiles: aksPool };
      for (const wrap of [
        (value: unknown) => value,
        (value: unknown) => ({ properties: value }),
        (value: unknown) => [value],
      ]) {
        const { pool, strange } = readExample(readAks, types, 'ManagedCluster', set, wrap);
        assert.deepEqual(
          strange.filter((each) => !BESIDE.test(each) && !EITHER.test(each)),
          ['ManagedClusterAgentPoolProfile.id'],
        );
        assert.equal(pool?.system, 'azure-linux');
        assert.equal(pool?.nodes, 3);
        assert.equal(pool?.surge, '33%');
        assert.deepEqual(pool?.properties, {
          ...{ kubernetes: '1.34', 'os-type': 'linux', fips: 'yes', 'secure-boot': 'yes', generation: '2' },
          ...{ architecture: 'arm64', gpu: 'none', confidential: 'no', sandboxing: 'no' },
          ...{ 'artifact-streaming': 'yes', channel: 'text' },
        });
      }
      const alone = readExample(readAks, types, 'AgentPool', aksPool);
      assert.deepEqual(
        alone.strange.filter((each) => !BESIDE.test(each) && !EITHER.test(each)),
        [],
      );
      assert.deepEqual(
        [alone.pool?.system, alone.pool?.names['cluster'], alone.pool?.names['resource-group']],
        ['azure-linux', 'prod', 'rg1'],
      );
    });

  test('eks: a node group', () => {
    const set = { amiType: 'AL2023_ARM_64_STANDARD', version: '1.33' };
    const { pool, strange } = readExample(readEks, clouds.eks.types, 'Nodegroup', set, (nodegroup) => ({
      nodegroup,
    }));
    assert.deepEqual(strange, []);
    assert.deepEqual(pool, {
      ...{ platform: 'eks', system: 'amazon-linux', name: 'text', nodes: 3, surge: '3%' },
      properties: { kubernetes: '1.33', architecture: 'arm64', gpu: 'none', fips: 'no', 'os-type': 'linux' },
      names: {
        ...{ pool: 'text', cluster: 'text', 'vm-size': 'text', 'node-role': 'text', 'min-nodes': '3' },
        ...{ 'max-nodes': '3', subnets: 'text', 'from-os-sku': 'AL2023_ARM_64_STANDARD' },
      },
    });
  });

  test('gke: a cluster and a pool', () => {
    const node = {
      config: { imageType: 'COS_CONTAINERD', machineType: 'c4a-standard-4' },
      version: '1.33.1-gke.1000',
    };
    for (const wrap of [(value: unknown) => value, (value: unknown) => [value]]) {
      const { pool, strange } = readExample(readGke, clouds.gke.types, 'Cluster', { nodePools: node }, wrap);
      assert.deepEqual(strange, []);
      assert.deepEqual([pool?.system, pool?.nodes, pool?.surge], ['container-optimized-os', 3, '6']);
      assert.deepEqual(pool?.properties, {
        ...{ kubernetes: '1.33', architecture: 'arm64', gpu: 'nvidia', 'secure-boot': 'yes' },
        ...{ confidential: 'yes', autopilot: 'yes', 'os-type': 'linux' },
      });
    }
    const alone = readExample(readGke, clouds.gke.types, 'NodePool', node);
    assert.deepEqual(
      alone.strange.filter((each) => !BESIDE.test(each)),
      [],
    );
    assert.equal(alone.pool?.properties['autopilot'], undefined);
  });
});

test('every system that a cloud names is known, or is Windows, or is the own image of somebody', () => {
  for (const osSku of clouds.values['aks-os-sku']) {
    const isWindows = osSku.startsWith('Windows');
    const [pool] = readAks({ name: 'np', osSku, osType: isWindows ? 'Windows' : 'Linux' });
    assert.equal(pool?.system === undefined, isWindows, osSku);
    assert.equal(pool?.properties['os-type'], isWindows ? 'windows' : 'linux', osSku);
  }
  for (const amiType of clouds.values['eks-ami-type']) {
    const [pool] = readEks({ nodegroup: { nodegroupName: 'workers', amiType } });
    const isOther = amiType === 'CUSTOM' || amiType.startsWith('WINDOWS');
    assert.equal(pool?.system === undefined, isOther, amiType);
    assert.equal(
      pool?.properties['os-type'],
      amiType === 'CUSTOM' ? undefined : amiType.startsWith('WINDOWS') ? 'windows' : 'linux',
      amiType,
    );
    assert.equal(
      pool?.properties['architecture'],
      amiType === 'CUSTOM' ? undefined : amiType.includes('ARM') ? 'arm64' : 'amd64',
      amiType,
    );
  }
});

test('a node group of EKS gets the AMI type of its processor, GPU and FIPS, and no other', async () => {
  const knowledge = await loadKnowledge();
  const moves = await loadMoves(knowledge);
  const commandFor = (amiType: string, to: string) => {
    const [pool] = readEks({ nodegroup: { nodegroupName: 'workers', amiType } });
    assert.ok(pool);
    const asked = {
      pool,
      from: pool.system ?? '',
      to,
      asOf: '2026-11-22',
      drainMinutes: undefined,
      checkTargets: [],
    };
    const commands = planMove(knowledge, moves, asked).steps.flatMap(({ run }) => run);
    return commands.flatMap((command) => /--ami-type (\S+)/.exec(command)?.[1] ?? []).join();
  };
  const cases = [
    ['AL2023_x86_64_STANDARD', 'bottlerocket', 'BOTTLEROCKET_x86_64'],
    ['AL2023_ARM_64_NVIDIA', 'bottlerocket', 'BOTTLEROCKET_ARM_64_NVIDIA'],
    ['BOTTLEROCKET_ARM_64', 'amazon-linux', 'AL2023_ARM_64_STANDARD'],
    // There is no image of Amazon Linux for FIPS by an AMI type: the reader has to fill it in.
    ['BOTTLEROCKET_x86_64_FIPS', 'amazon-linux', 'OS_SKU'],
  ] as const;
  for (const [from, to, wanted] of cases) {
    assert.equal(commandFor(from, to), wanted, from);
    assert.ok(wanted === 'OS_SKU' || clouds.values['eks-ami-type'].includes(wanted), wanted);
  }
});

test('a description without a node group says which command has one', () => {
  for (const text of ['{"cluster":{"name":"prod"}}', '{"nodegroups":["workers"]}'])
    assert.throws(() => readPools(text, 'eks.json'), /expected one group: aws eks describe-nodegroup/);
});
