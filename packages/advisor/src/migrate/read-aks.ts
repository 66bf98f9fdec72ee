import { minorOf } from '../facts/version-range.ts';
import { countOf, type Fields, fieldsOf, known, listOf, textOf, yesNo } from './fields.ts';
import type { Pool } from './pool.ts';

/** OS SKUs of AKS; the beginning decides, so that versioned ones are known too. */
const SKUS: readonly (readonly [prefix: string, system: string])[] = [
  ['azurecontainerlinux', 'azure-container-linux'],
  ['azurelinuxosguard', 'azure-linux-os-guard'],
  ['azurelinux', 'azure-linux'],
  ['cblmariner', 'azure-linux'],
  ['mariner', 'azure-linux'],
  ['flatcar', 'flatcar'],
  ['ubuntu', 'ubuntu'],
];

/** readAks reads az aks show|list and az aks nodepool show|list; no pools when it is something else. */
export function readAks(data: unknown): readonly Pool[] {
  return (Array.isArray(data) ? listOf(data) : [fieldsOf(data)])
    .map(plain)
    .flatMap((one) =>
      Array.isArray(one['agentPoolProfiles'])
        ? listOf(one['agentPoolProfiles']).flatMap((pool) => readPool(pool, one))
        : readPool(one, {}),
    );
}

/** The API and templates keep most of a resource below "properties"; az leaves that level out. */
function plain(resource: Fields): Fields {
  return { ...resource, ...fieldsOf(resource['properties']) };
}

function readPool(pool: Fields, cluster: Fields): Pool[] {
  const name = textOf(pool['name']);
  // az writes it the first way, the API the second.
  const sku = textOf(pool['osSku']) ?? textOf(pool['osSKU']);
  const osType = textOf(pool['osType']);
  // Nothing else of the three clouds calls it so.
  if (name === undefined || (sku === undefined && osType === undefined)) return [];
  const security = fieldsOf(pool['securityProfile']);
  const vmSize = textOf(pool['vmSize']);
  const image = textOf(pool['nodeImageVersion'])?.toLowerCase() ?? '';
  const upgrades = fieldsOf(cluster['autoUpgradeProfile']);
  const channel = textOf(upgrades['nodeOsUpgradeChannel']) ?? textOf(upgrades['nodeOSUpgradeChannel']);
  const version =
    textOf(pool['currentOrchestratorVersion']) ??
    textOf(pool['orchestratorVersion']) ??
    textOf(cluster['kubernetesVersion']);
  // /subscriptions/…/resourceGroups/GROUP/providers/Microsoft.ContainerService/managedClusters/CLUSTER/…
  const id = textOf(pool['id']) ?? textOf(cluster['id']) ?? '';
  const group =
    textOf(cluster['resourceGroup']) ??
    textOf(pool['resourceGroup']) ??
    /resourcegroups\/([^/]+)/i.exec(id)?.[1];
  return [
    {
      platform: 'aks',
      system: SKUS.find(([prefix]) => sku?.toLowerCase().startsWith(prefix))?.[1],
      name,
      nodes: countOf(pool['count']),
      surge: textOf(fieldsOf(pool['upgradeSettings'])['maxSurge']),
      properties: known({
        kubernetes: version === undefined ? undefined : minorOf(version),
        'os-type':
          osType?.toLowerCase() === 'windows' ? 'windows' : osType === undefined ? undefined : 'linux',
        fips: yesNo(pool['enableFips']),
        'secure-boot': yesNo(security['enableSecureBoot']),
        generation: image.includes('gen2') ? '2' : image.includes('gen1') ? '1' : undefined,
        architecture:
          vmSize === undefined ? undefined : isArm(vmSize) || image.includes('arm64') ? 'arm64' : 'amd64',
        gpu: vmSize === undefined ? undefined : gpuOf(vmSize),
        confidential: vmSize === undefined ? undefined : /^standard_[de]c/i.test(vmSize) ? 'yes' : 'no',
        sandboxing:
          textOf(pool['workloadRuntime']) === undefined
            ? undefined
            : /kata/i.test(textOf(pool['workloadRuntime']) ?? '')
              ? 'yes'
              : 'no',
        'artifact-streaming': yesNo(fieldsOf(pool['artifactStreamingProfile'])['enabled']),
        channel,
      }),
      names: known({
        pool: name,
        cluster: textOf(cluster['name']) ?? /managedclusters\/([^/]+)/i.exec(id)?.[1],
        'resource-group': group,
        'vm-size': vmSize,
        mode: textOf(pool['mode']),
        'from-os-sku': sku,
      }),
    },
  ];
}

/** Arm sizes carry a p among the letters after the number: Standard_D4ps_v6. */
function isArm(vmSize: string): boolean {
  return /^standard_[a-z]+\d+(?:-\d+)?[a-z]*p[a-z]*(?:_|$)/i.test(vmSize);
}

/** N sizes have GPUs: NV with V620, V710 or MI in their name those of AMD, the others NVIDIA's. */
function gpuOf(vmSize: string): string {
  if (!/^standard_n[cdgv]/i.test(vmSize)) return 'none';
  return /mi\d{3}|v620|v710|^standard_ng/i.test(vmSize) ? 'amd' : 'nvidia';
}
