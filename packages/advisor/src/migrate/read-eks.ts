import { minorOf } from '../facts/version-range.ts';
import { countOf, fieldsOf, known, textOf } from './fields.ts';
import type { Pool } from './pool.ts';

/** readEks reads aws eks describe-nodegroup; no pools when it is something else. */
export function readEks(data: unknown): readonly Pool[] {
  const group = fieldsOf(fieldsOf(data)['nodegroup']);
  const name = textOf(group['nodegroupName']);
  if (name === undefined) return [];
  const ami = textOf(group['amiType']) ?? '';
  const update = fieldsOf(group['updateConfig']);
  const scaling = fieldsOf(group['scalingConfig']);
  const types = Array.isArray(group['instanceTypes'])
    ? group['instanceTypes'].filter((one) => typeof one === 'string')
    : [];
  const unavailable = countOf(update['maxUnavailable']);
  const percent = countOf(update['maxUnavailablePercentage']);
  const version = textOf(group['version']);
  return [
    {
      platform: 'eks',
      system: systemOf(ami),
      name,
      nodes: countOf(scaling['desiredSize']),
      surge:
        percent !== undefined ? `${percent}%` : unavailable === undefined ? undefined : String(unavailable),
      properties: known({
        kubernetes: version === undefined ? undefined : minorOf(version),
        architecture: /ARM_64/i.test(ami) ? 'arm64' : /x86_64|GPU/i.test(ami) ? 'amd64' : undefined,
        gpu: /NVIDIA|GPU/i.test(ami) ? 'nvidia' : ami === '' || ami === 'CUSTOM' ? undefined : 'none',
        fips: /FIPS/i.test(ami) ? 'yes' : ami === '' || ami === 'CUSTOM' ? undefined : 'no',
        'os-type': /WINDOWS/i.test(ami) ? 'windows' : ami === '' || ami === 'CUSTOM' ? undefined : 'linux',
      }),
      names: known({
        pool: name,
        cluster: textOf(group['clusterName']),
        'vm-size': types.length === 0 ? undefined : types.join(' '),
        'node-role': textOf(group['nodeRole']),
        'min-nodes': countOf(scaling['minSize'])?.toString(),
        'max-nodes': countOf(scaling['maxSize'])?.toString(),
        subnets: Array.isArray(group['subnets'])
          ? group['subnets'].filter((one) => typeof one === 'string').join(' ')
          : undefined,
        'from-os-sku': ami === '' ? undefined : ami,
      }),
    },
  ];
}

function systemOf(ami: string): string | undefined {
  if (ami.startsWith('BOTTLEROCKET')) return 'bottlerocket';
  return /^AL\d/.test(ami) ? 'amazon-linux' : undefined;
}
