import { minorOf } from '../facts/version-range.ts';
import { countOf, type Fields, fieldsOf, known, listOf, textOf, yesNo } from './fields.ts';
import type { Pool } from './pool.ts';

/** readGke reads gcloud container clusters and node-pools, describe or list; no pools when it is something else. */
export function readGke(data: unknown): readonly Pool[] {
  return (Array.isArray(data) ? listOf(data) : [fieldsOf(data)]).flatMap((one) =>
    Array.isArray(one['nodePools'])
      ? listOf(one['nodePools']).flatMap((pool) => readPool(pool, one))
      : readPool(one, undefined),
  );
}

/** Without its cluster a pool does not say whether that is an Autopilot one. */
function readPool(pool: Fields, whole: Fields | undefined): Pool[] {
  const cluster = whole ?? {};
  const name = textOf(pool['name']);
  const config = fieldsOf(pool['config']);
  const image = textOf(config['imageType']);
  const machine = textOf(config['machineType']);
  if (name === undefined || (image === undefined && machine === undefined)) return [];
  const version = textOf(pool['version']) ?? textOf(cluster['currentNodeVersion']);
  const accelerators = listOf(config['accelerators']);
  const zones = Array.isArray(pool['locations']) ? pool['locations'].length : 1;
  const each = countOf(pool['initialNodeCount']);
  return [
    {
      platform: 'gke',
      system: systemOf(image ?? ''),
      name,
      // The count is that of one zone; autoscaling may have changed it since.
      nodes: each === undefined ? undefined : each * Math.max(1, zones),
      surge: surgeOf(fieldsOf(pool['upgradeSettings'])),
      properties: known({
        kubernetes: version === undefined ? undefined : minorOf(version),
        architecture:
          machine === undefined ? undefined : /^(t2a|c4a|n4a|a4x)-/.test(machine) ? 'arm64' : 'amd64',
        gpu:
          accelerators.length > 0
            ? 'nvidia'
            : machine === undefined
              ? undefined
              : /^(a[234]x?|g2|g4)-/.test(machine)
                ? 'nvidia'
                : 'none',
        'secure-boot': yesNo(fieldsOf(config['shieldedInstanceConfig'])['enableSecureBoot']),
        confidential: yesNo(fieldsOf(config['confidentialNodes'])['enabled']),
        autopilot: whole && (fieldsOf(whole['autopilot'])['enabled'] === true ? 'yes' : 'no'),
        'os-type': image === undefined ? undefined : /windows/i.test(image) ? 'windows' : 'linux',
      }),
      names: known({
        pool: name,
        cluster: textOf(cluster['name']),
        location: textOf(cluster['location']),
        'vm-size': machine,
        'from-os-sku': image,
      }),
    },
  ];
}

function surgeOf(settings: Fields): string | undefined {
  const surge = countOf(settings['maxSurge']);
  const unavailable = countOf(settings['maxUnavailable']);
  if (surge === undefined && unavailable === undefined) return undefined;
  return String((surge ?? 0) + (unavailable ?? 0));
}

function systemOf(image: string): string | undefined {
  if (/^cos/i.test(image)) return 'container-optimized-os';
  return /^ubuntu/i.test(image) ? 'ubuntu' : undefined;
}
