import { PlinthError } from '@plinth/base';
import { z } from 'zod';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const DOMAIN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const SERVER_NAMES_LIMIT = 32;

/** What all nodes of a cluster agree on, checked and complete. */
export interface ClusterSpec {
  readonly name: string;
  /** IPv4 network, "10.244.0.0/16". */
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  readonly dnsDomain: string;
  readonly controlPlanesTakeWorkloads: boolean;
  readonly apiServerNames: readonly string[];
}

/** What a node does in a cluster. */
export const nodeRoles = ['control-plane', 'worker'] as const;
export type NodeRole = (typeof nodeRoles)[number];

export const clusterSpecSchema: z.ZodType<ClusterSpec> = z
  .strictObject({
    name: z.string().regex(LABEL, 'expected a name of lower-case letters, digits and hyphens (RFC 1123)'),
    podNetwork: network(8, 22),
    serviceNetwork: network(12, 24),
    dnsDomain: z.string().max(253).regex(DOMAIN, 'expected a DNS domain in lower case'),
    controlPlanesTakeWorkloads: z.boolean(),
    apiServerNames: z
      .array(
        z
          .string()
          .max(253)
          .refine((name) => parseIpv4(name) !== undefined || DOMAIN.test(name), {
            error: 'expected a DNS name in lower case or an IPv4 address',
          }),
      )
      .max(SERVER_NAMES_LIMIT),
  })
  .superRefine((spec, context) => {
    const pods = parseNetwork(spec.podNetwork);
    const services = parseNetwork(spec.serviceNetwork);
    if (pods && services && overlap(pods, services))
      context.addIssue({
        code: 'custom',
        path: ['serviceNetwork'],
        message: `overlaps the pod network ${spec.podNetwork}`,
      });
  });

/** A ClusterSpec as a client sends it: empty texts stand for the default. */
export interface GivenClusterSpec {
  readonly name: string;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  readonly dnsDomain: string;
  readonly controlPlanesTakeWorkloads: boolean;
  readonly apiServerNames: readonly string[];
}

/**
 * completeClusterSpec fills in defaults and checks every value.
 * @throws kubernetes/spec-invalid with the first problem and its place
 */
export function completeClusterSpec(given: GivenClusterSpec | undefined): ClusterSpec {
  const result = clusterSpecSchema.safeParse({
    name: given?.name ?? '',
    podNetwork: given?.podNetwork || '10.244.0.0/16',
    serviceNetwork: given?.serviceNetwork || '10.96.0.0/16',
    dnsDomain: given?.dnsDomain || 'cluster.local',
    controlPlanesTakeWorkloads: given?.controlPlanesTakeWorkloads ?? false,
    apiServerNames: [...(given?.apiServerNames ?? [])],
  });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PlinthError(
    'kubernetes/spec-invalid',
    `Cannot use the cluster's ${issue?.path.join('.') || 'description'}: ${issue?.message ?? 'not valid'}`,
  );
}

/** dnsAddressOf is the address of the cluster's DNS service: the tenth of the service network, as kubeadm has it. */
export function dnsAddressOf({ serviceNetwork }: Pick<ClusterSpec, 'serviceNetwork'>): string {
  const network = parseNetwork(serviceNetwork);
  if (!network)
    throw new PlinthError('kubernetes/spec-invalid', `Cannot use the service network ${serviceNetwork}`);
  return formatIpv4(network.base + 10);
}

/** parseIpv4 gives the number of a dotted address; undefined for anything else. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const parts = match?.slice(1) ?? [];
  if (parts.length !== 4 || parts.some((part) => Number(part) > 255 || String(Number(part)) !== part))
    return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

interface Network {
  readonly base: number;
  readonly size: number;
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const base = parseIpv4(address);
  if (base === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32)
    return undefined;
  const size = 2 ** (32 - Number(prefix));
  return base % size === 0 ? { base, size } : undefined;
}

function network(shortest: number, longest: number) {
  return z.string().refine(
    (text) => {
      const prefix = Number(text.split('/')[1]);
      return parseNetwork(text) !== undefined && prefix >= shortest && prefix <= longest;
    },
    { error: `expected an IPv4 network such as 10.244.0.0/16, of /${shortest} to /${longest}` },
  );
}

function overlap(a: Network, b: Network): boolean {
  return a.base < b.base + b.size && b.base < a.base + a.size;
}

function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
