import type { PolicySpec } from '../../objects/index.ts';
import { amount } from '../count.ts';
import type { LedgerEntry } from '../node/slot.ts';
import type { Member } from '../rollout/pool.ts';
import { type Bound, domainLimit } from './bounds.ts';

/** Account of failure domains: which may be touched, and by how many. */
export interface Domains {
  readonly inFlight: ReadonlySet<string>;
  readonly bound: Bound;
  /** Whether one more node of its domain may go out of service. A node that is down already changes nothing of it. */
  fits(member: Member): boolean;
  take(member: Member): void;
}

/** domainsOf counts what is out of service in each domain: no more domains than the policy says are in flight together. */
export function domainsOf(
  policy: PolicySpec,
  members: readonly Member[],
  live: readonly LedgerEntry[],
  toCome: readonly Member[],
): Domains {
  const left = new Map<string, number>();
  for (const [domain, nodes] of Map.groupBy(members, ({ domain }) => domain)) {
    const counted = nodes.filter(({ standing }) => standing !== 'lost');
    left.set(domain, domainLimit(policy, counted.length) - counted.filter(({ isDown }) => isDown).length);
  }
  const inFlight = new Set<string>();
  for (const { domain } of live) {
    inFlight.add(domain);
    left.set(domain, (left.get(domain) ?? 0) - 1);
  }
  const most = policy.topology.domainsInFlight;
  const isOpen = (domain: string) => inFlight.has(domain) || inFlight.size < most;
  return {
    inFlight,
    bound: domainBound(policy, live.length, usable(inFlight, left, toCome, most), left),
    fits: ({ domain, isDown }) => isOpen(domain) && (left.get(domain) ?? 0) >= (isDown ? 0 : 1),
    take: ({ domain, isDown }) => {
      inFlight.add(domain);
      if (!isDown) left.set(domain, (left.get(domain) ?? 0) - 1);
    },
  };
}

/** The domains that can be in flight next: those that are, and as many more as may be, the roomiest first. */
function usable(
  inFlight: ReadonlySet<string>,
  left: ReadonlyMap<string, number>,
  toCome: readonly Member[],
  most: number,
): string[] {
  const next = [...new Set(toCome.map(({ domain }) => domain))]
    .filter((domain) => !inFlight.has(domain))
    .sort((a, b) => (left.get(b) ?? 0) - (left.get(a) ?? 0));
  return [...inFlight, ...next.slice(0, Math.max(0, most - inFlight.size))];
}

function domainBound(
  policy: PolicySpec,
  live: number,
  domains: readonly string[],
  left: ReadonlyMap<string, number>,
): Bound {
  const { key, domainsInFlight, maxUnavailablePerDomain } = policy.topology;
  const room = domains.reduce((sum, domain) => sum + Math.max(0, left.get(domain) ?? 0), 0);
  return {
    name: 'domain',
    value: live + room,
    isLasting: true,
    reason: `${amount(domainsInFlight, 'failure domain')} (${key}) at once, ${maxUnavailablePerDomain} of each`,
    adviceFor: (need) =>
      `topology.domainsInFlight: ${Math.min(100, Math.ceil((domainsInFlight * need) / Math.max(1, live + room)))}`,
  };
}
