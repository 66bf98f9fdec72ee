import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { choosePool, readPools } from './pool.ts';

const nodepool = {
  id: '/subscriptions/0/resourcegroups/rg1/providers/Microsoft.ContainerService/managedClusters/prod/agentPools/np',
  name: 'np',
  count: 3,
  mode: 'User',
  osSku: 'AzureLinux3',
  osType: 'Linux',
  vmSize: 'Standard_D4ps_v6',
  enableFips: true,
  currentOrchestratorVersion: '1.34.3',
  nodeImageVersion: 'AKSAzureLinux-V3gen2arm64fips-202608.20.0',
  securityProfile: { enableSecureBoot: false, enableVtpm: false },
  upgradeSettings: { maxSurge: '33%' },
};

test('az aks nodepool show', () => {
  const [pool] = readPools(JSON.stringify(nodepool), 'np.json');
  assert.deepEqual(pool, {
    platform: 'aks',
    system: 'azure-linux',
    name: 'np',
    nodes: 3,
    surge: '33%',
    properties: {
      kubernetes: '1.34',
      'os-type': 'linux',
      fips: 'yes',
      'secure-boot': 'no',
      generation: '2',
      architecture: 'arm64',
      gpu: 'none',
      confidential: 'no',
    },
    names: {
      pool: 'np',
      cluster: 'prod',
      'resource-group': 'rg1',
      'vm-size': 'Standard_D4ps_v6',
      mode: 'User',
      'from-os-sku': 'AzureLinux3',
    },
  });
});

test('az aks show and az aks nodepool list: several pools, one of them is named', () => {
  const cluster = {
    name: 'prod',
    resourceGroup: 'rg1',
    kubernetesVersion: '1.34.3',
    autoUpgradeProfile: { nodeOsUpgradeChannel: 'SecurityPatch' },
    agentPoolProfiles: [
      nodepool,
      { ...nodepool, name: 'gpu', osSku: 'Ubuntu', vmSize: 'Standard_NC24ads_A100_v4' },
    ],
  };
  const pools = readPools(JSON.stringify(cluster), 'aks.json');
  assert.deepEqual(
    pools.map(({ name, system }) => [name, system]),
    [
      ['np', 'azure-linux'],
      ['gpu', 'ubuntu'],
    ],
  );
  assert.equal(choosePool(pools, 'gpu').properties['gpu'], 'nvidia');
  assert.equal(choosePool(pools, 'gpu').properties['channel'], 'SecurityPatch');
  assert.equal(readPools(JSON.stringify([nodepool]), 'list.json').length, 1);
  assert.throws(() => choosePool(pools, undefined), /there are 2 \(np, gpu\), expected one/);
  assert.throws(() => choosePool(pools, 'nope'), /the description has np, gpu/);
});

test('aws eks describe-nodegroup', () => {
  const group = {
    nodegroup: {
      nodegroupName: 'workers',
      clusterName: 'prod',
      version: '1.35',
      releaseVersion: '1.57.0-abc',
      amiType: 'BOTTLEROCKET_ARM_64_FIPS',
      instanceTypes: ['m7g.large', 'm7g.xlarge'],
      nodeRole: 'arn:aws:iam::1:role/r',
      subnets: ['subnet-1', 'subnet-2'],
      scalingConfig: { minSize: 1, maxSize: 9, desiredSize: 6 },
      updateConfig: { maxUnavailablePercentage: 33 },
    },
  };
  const [pool] = readPools(JSON.stringify(group), 'eks.json');
  assert.equal(pool?.system, 'bottlerocket');
  assert.equal(pool?.nodes, 6);
  assert.equal(pool?.surge, '33%');
  assert.deepEqual(pool?.properties, {
    kubernetes: '1.35',
    architecture: 'arm64',
    gpu: 'none',
    fips: 'yes',
    'os-type': 'linux',
  });
  assert.equal(pool?.names['subnets'], 'subnet-1 subnet-2');
  assert.deepEqual([pool?.names['min-nodes'], pool?.names['max-nodes']], ['1', '9']);
});

test('an EKS group with an image of its own: nothing is guessed from it', () => {
  const [pool] = readPools(
    JSON.stringify({ nodegroup: { nodegroupName: 'w', amiType: 'CUSTOM' } }),
    'eks.json',
  );
  assert.equal(pool?.system, undefined);
  assert.deepEqual(pool?.properties, {});
});

test('gcloud container clusters describe: the count is that of one zone', () => {
  const cluster = {
    name: 'prod',
    location: 'europe-west1',
    currentMasterVersion: '1.34.1-gke.2364000',
    nodePools: [
      {
        name: 'default-pool',
        version: '1.34.1-gke.2364000',
        initialNodeCount: 2,
        locations: ['a', 'b', 'c'],
        config: {
          imageType: 'COS_CONTAINERD',
          machineType: 'e2-standard-4',
          shieldedInstanceConfig: { enableSecureBoot: true },
        },
        upgradeSettings: { maxSurge: 1 },
      },
    ],
  };
  const [pool] = readPools(JSON.stringify(cluster), 'gke.json');
  assert.equal(pool?.system, 'container-optimized-os');
  assert.equal(pool?.nodes, 6);
  assert.equal(pool?.surge, '1');
  assert.equal(pool?.properties['kubernetes'], '1.34');
  assert.equal(pool?.properties['secure-boot'], 'yes');
  const autopilotOf = (described: object) =>
    readPools(JSON.stringify(described), 'gke.json')[0]?.properties['autopilot'];
  assert.equal(autopilotOf(cluster), 'no');
  assert.equal(autopilotOf({ ...cluster, autopilot: { enabled: true } }), 'yes');
  assert.equal(autopilotOf(cluster.nodePools[0] ?? {}), undefined);
});

test('a disruption budget without pods holds nothing up', () => {
  const of = (...budgets: object[]) => {
    const items = [
      node({}, { osImage: 'Ubuntu 24.04', kubeletVersion: 'v1.36.0' }),
      ...budgets.map((status) => ({ kind: 'PodDisruptionBudget', status })),
    ];
    return readPools(JSON.stringify({ kind: 'List', items }), 'x.json')[0]?.properties['disruption-budgets'];
  };
  const empty = { disruptionsAllowed: 0, expectedPods: 0, observedGeneration: 1 };
  // A new budget has the same numbers until its controller has looked at it.
  const { observedGeneration: _, ...unseen } = empty;
  assert.equal(of(), undefined);
  assert.equal(of(unseen), undefined);
  assert.equal(of(unseen, { disruptionsAllowed: 0, expectedPods: 2, observedGeneration: 1 }), 'no');
  assert.equal(of(empty), 'yes');
  assert.equal(of(empty, { disruptionsAllowed: 0, expectedPods: 2 }), 'no');
  assert.equal(of(empty, { disruptionsAllowed: 1, expectedPods: 2 }), 'yes');
});

const node = (labels: Record<string, string>, info: Record<string, string>, capacity = {}) => ({
  kind: 'Node',
  metadata: { name: 'n', labels },
  status: { nodeInfo: { architecture: 'amd64', operatingSystem: 'linux', ...info }, capacity },
});

test('kubectl get nodes,poddisruptionbudgets: pools by the labels of their platform, with what runs there now', () => {
  const ubuntu = { osImage: 'Ubuntu 24.04.3 LTS', kubeletVersion: 'v1.35.2' };
  const items = [
    node({ 'kubernetes.azure.com/agentpool': 'sys' }, ubuntu),
    node({ 'kubernetes.azure.com/agentpool': 'sys' }, { ...ubuntu, kubeletVersion: 'v1.34.9' }),
    node(
      { 'kubernetes.azure.com/agentpool': 'gpu' },
      { ...ubuntu, architecture: 'arm64' },
      { 'nvidia.com/gpu': '1' },
    ),
    { kind: 'PodDisruptionBudget', status: { disruptionsAllowed: 1 } },
    { kind: 'PodDisruptionBudget', status: { disruptionsAllowed: 0 } },
  ];
  const [sys, gpu] = readPools(JSON.stringify({ kind: 'List', items }), 'x.json');
  assert.deepEqual([sys?.platform, sys?.system, sys?.name, sys?.nodes], ['aks', 'ubuntu', 'sys', 2]);
  assert.deepEqual(sys?.properties, {
    kubernetes: '1.34',
    architecture: 'amd64',
    'os-type': 'linux',
    'disruption-budgets': 'no',
  });
  assert.deepEqual([gpu?.properties['gpu'], gpu?.properties['architecture']], ['nvidia', 'arm64']);
});

test('a cluster without labels of a platform is one pool; several systems in one are not guessed at', () => {
  const k3s = node({}, { osImage: 'Debian GNU/Linux 12', kubeletVersion: 'v1.34.1+k3s1' });
  const pools = (items: unknown[]) => readPools(JSON.stringify({ kind: 'NodeList', items }), 'x.json');
  assert.deepEqual(
    pools([k3s]).map(({ name, system, platform }) => [name, system, platform]),
    [['all-nodes', 'k3s', 'on-premises']],
  );
  const talos = node({}, { osImage: 'Talos (v1.14.0)', kubeletVersion: 'v1.36.0' });
  assert.equal(pools([talos])[0]?.system, 'talos');
  assert.equal(
    pools([talos, node({}, { osImage: 'Debian GNU/Linux 13', kubeletVersion: 'v1.36.0' })])[0]?.system,
    undefined,
  );
  // No budget was listed, no GPU was seen: neither is known.
  assert.deepEqual(Object.keys(pools([talos])[0]?.properties ?? {}), [
    'kubernetes',
    'architecture',
    'os-type',
  ]);
});

test('what is no description of a pool is refused with a code, whatever it is', () => {
  for (const text of [
    '',
    '{',
    '[]',
    '{}',
    'null',
    '"x"',
    '{"name":"x"}',
    '{"nodegroup":[]}',
    '{"nodePools":[{}]}',
  ])
    assert.throws(
      () => readPools(text, 'x.json'),
      (error: unknown) => error instanceof PlinthError && error.code === 'advisor/pool-invalid',
      text,
    );
});

test('any JSON is read or refused, never a crash; what is read has names of texts only', () => {
  const keys = [
    'name',
    'osSku',
    'osType',
    'vmSize',
    'count',
    'agentPoolProfiles',
    'nodegroup',
    'nodegroupName',
    'nodePools',
    'config',
    'imageType',
    'machineType',
    'upgradeSettings',
    'maxSurge',
    '__proto__',
    'amiType',
    'subnets',
    'items',
    'kind',
    'status',
    'metadata',
  ];
  const value = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue(),
      fc.constantFrom('Node', 'Ubuntu', 'Linux', 'AL2023', '33%', -1, 1.5),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('node')),
    ),
  })).node;
  fc.assert(
    fc.property(value, (data) => {
      try {
        for (const pool of readPools(JSON.stringify(data) ?? 'null', 'x.json')) {
          assert.equal(typeof pool.name, 'string');
          for (const text of [...Object.values(pool.names), ...Object.values(pool.properties)])
            assert.equal(typeof text, 'string');
          assert.ok(pool.nodes === undefined || (Number.isInteger(pool.nodes) && pool.nodes >= 0));
        }
      } catch (error) {
        assert.ok(error instanceof PlinthError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
