import { type Finding, fail, pass, passIf, unknown } from '../checks/check.ts';
import type { EtcdFacts } from './kubernetes-observer.ts';
import { type HealthRule, type MemberView, percent } from './rule.ts';

const QUOTA_SHARE_MAXIMUM = 0.8;
const SOURCE = 'etcd of this node';

/** etcdRules look at the cluster's database from one of its members. */
export const etcdRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'etcd-member',
    expected: "this node's member is healthy",
    source: SOURCE,
    cause: 'etcd of this node does not run, or cannot reach the others.',
    fix: 'Look at the static pod of etcd on this node and at its disk.',
    critical: true,
    observe: async ({ kubernetes }) => judgeOwnMember(await kubernetes.etcd()),
  },
  {
    id: 'etcd-quorum',
    expected: 'more than half of the voting members are healthy',
    source: SOURCE,
    cause: 'Too many control planes are down: the cluster takes no change until some are back.',
    fix: 'Start the control planes that are down; when they are lost, restore a snapshot.',
    critical: true,
    observe: async ({ kubernetes }) => judgeQuorum(await kubernetes.etcd()),
  },
  {
    id: 'etcd-leader',
    expected: 'exactly one leader',
    source: SOURCE,
    cause: 'Members do not hear each other in time: slow disks, or a slow network between control planes.',
    fix: 'Look at the disks of the control planes and at the network between them.',
    critical: true,
    observe: async ({ kubernetes }) => judgeLeader(await kubernetes.etcd()),
  },
  {
    id: 'etcd-members',
    expected: 'every member is healthy and votes',
    source: SOURCE,
    cause: 'A control plane is down or was lost, or its member has not caught up yet.',
    fix: 'Start the machine of the member named here, or remove the member when it does not come back.',
    observe: async ({ kubernetes }) => judgeMembers(await kubernetes.etcd()),
  },
  {
    id: 'etcd-alarms',
    expected: 'no alarm',
    source: SOURCE,
    cause: 'The database reached its limit (NOSPACE), or members differ in what they hold (CORRUPT).',
    fix: 'For NOSPACE defragment each member; for CORRUPT remove the member that differs and let it join again.',
    critical: true,
    observe: async ({ kubernetes }) => judgeAlarms(await kubernetes.etcd()),
  },
  {
    id: 'etcd-size',
    expected: `less than ${percent(QUOTA_SHARE_MAXIMUM)} of the limit`,
    source: SOURCE,
    cause: 'Many objects were made and deleted, or a controller writes without end.',
    fix: 'Defragment the member; when most of the file is in use, find what fills the cluster.',
    observe: async ({ kubernetes }) => judgeSize(await kubernetes.etcd()),
  },
  {
    id: 'etcd-versions',
    expected: 'all members are of one minor version, or of two during an upgrade',
    source: SOURCE,
    cause: 'An upgrade of the control planes stopped half-way.',
    fix: 'Upgrade the control plane that is behind.',
    observe: async ({ kubernetes }) => judgeVersions(await kubernetes.etcd()),
  },
];

/** judgeOwnMember looks at the member of this node. */
export function judgeOwnMember({ members }: EtcdFacts): Finding {
  const own = members.find((member) => member.own);
  if (!own) return fail('this node is no member of etcd');
  return passIf(own.healthy, own.healthy ? own.name : own.problem || 'not healthy');
}

/** judgeQuorum counts those that vote (raft: more than half). */
export function judgeQuorum({ members }: EtcdFacts): Finding {
  const voters = members.filter(({ learner }) => !learner);
  if (voters.length === 0) return unknown('no voting member was seen');
  const healthy = voters.filter((member) => member.healthy).length;
  const needed = Math.floor(voters.length / 2) + 1;
  return passIf(healthy >= needed, `${healthy} of ${voters.length} healthy, ${needed} needed`);
}

/** judgeLeader: without a leader nothing is written; two are seen only while one gives way. */
export function judgeLeader({ members }: EtcdFacts): Finding {
  const leaders = members.filter(({ leader }) => leader).map(({ name }) => name);
  return passIf(leaders.length === 1, leaders.join(', ') || 'none');
}

/** judgeMembers: a cluster that has lost one member works, and bears no further loss. */
export function judgeMembers({ members }: EtcdFacts): Finding {
  if (members.length === 0) return unknown('no member was seen');
  const bad = members.flatMap(({ name, healthy, learner, problem }) => {
    if (!healthy) return [`${name || 'a new member'}: ${problem || 'not healthy'}`];
    return learner ? [`${name}: does not vote yet`] : [];
  });
  return passIf(bad.length === 0, bad.join('; ') || `${members.length} healthy`);
}

/** judgeAlarms: etcd itself raises them, and takes no write until they are gone. */
export function judgeAlarms({ alarms }: EtcdFacts): Finding {
  return passIf(alarms.length === 0, [...new Set(alarms)].join(', ') || 'none');
}

/** judgeSize: at the limit etcd raises NOSPACE; what is not in use comes back by defragmenting. */
export function judgeSize({ members, quotaBytes }: EtcdFacts): Finding {
  const own = members.find((member) => member.own);
  if (own?.dbSizeBytes === undefined || quotaBytes <= 0) return unknown('the member does not tell its size');
  const used =
    own.dbInUseBytes === undefined
      ? ''
      : `, ${percent(own.dbInUseBytes / Math.max(own.dbSizeBytes, 1))} of it in use`;
  return passIf(
    own.dbSizeBytes / quotaBytes < QUOTA_SHARE_MAXIMUM,
    `${percent(own.dbSizeBytes / quotaBytes)} of the limit${used}`,
  );
}

/** judgeVersions: etcd supports members one minor apart while they are upgraded. */
export function judgeVersions({ members }: EtcdFacts): Finding {
  const versions = [...new Set(members.flatMap(({ version }) => (version === '' ? [] : [version])))].sort();
  if (versions.length === 0) return unknown('no member tells its version');
  const minors = versions.map((version) => /^(\d+)\.(\d+)\./.exec(version));
  if (minors.some((match) => match === null)) return unknown(`not a version: ${versions.join(', ')}`);
  const majors = new Set(minors.map((match) => match?.[1]));
  const numbers = minors.map((match) => Number(match?.[2]));
  const apart = Math.max(...numbers) - Math.min(...numbers);
  return majors.size === 1 && apart <= 1 ? pass(versions.join(', ')) : fail(versions.join(', '));
}
