import { cpus } from 'node:os';
import { ActKind, NodeRole } from '@plinth/api';
import { PlinthError, type Progress } from '@plinth/base';
import { mapParallel } from '@plinth/host';
import {
  type ClusterMember,
  type ClusterRecord,
  type ClusterStep,
  detectAccelerator,
  memberAddress,
  type ObservedMember,
  planCluster,
} from '@plinth/local';

/** What leading a cluster does to its machines and nodes; the real one is in cluster-acts.ts. */
export interface ClusterActs {
  readonly observe: () => Promise<readonly ObservedMember[]>;
  /** Starts a machine, or lets it go on, and waits until its node answers. */
  readonly start: (member: ClusterMember, progress: Progress) => Promise<void>;
  readonly resume: (name: string) => Promise<void>;
  readonly bootstrap: (member: ClusterMember) => Promise<void>;
  readonly join: (member: ClusterMember, inviter: string) => Promise<void>;
  readonly follow: (name: string, kind: ActKind, progress: Progress) => Promise<void>;
}

/** A phase of leading a cluster and how long it took. */
export interface Phase {
  readonly name: string;
  readonly durationMs: number;
}

/** A node that stays silent after its machine started is given up after so many rounds in which nothing else happens. */
const MOST_ROUNDS = 200;
const KINDS = {
  bootstrap: ActKind.BOOTSTRAP,
  join: ActKind.JOIN,
  upgrade: ActKind.UPGRADE,
  leave: ActKind.LEAVE,
};

/**
 * leadCluster does what planCluster says until every machine is a member of the cluster. Nothing is kept in between:
 * interrupted and run again, it goes on from what it sees.
 * @param parallelStarts how many machines may boot at once
 * @throws cluster/stuck, cluster/act-failed, and what the acts throw
 */
export async function leadCluster(
  record: ClusterRecord,
  acts: ClusterActs,
  progress: Progress,
  parallelStarts: number,
): Promise<Phase[]> {
  const phases = new Map<string, number>();
  const members = new Map(record.members.map((member) => [member.name, member]));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const steps = planCluster(record.members, await acts.observe());
    if (steps.length === 0) return [...phases].map(([name, durationMs]) => ({ name, durationMs }));
    const startedMs = performance.now();
    // Steps of one round are of one kind, but waiting stands beside what blocks it.
    const stuck = steps.find((step) => step.kind === 'stuck');
    if (stuck?.kind === 'stuck') throw stuckError(stuck.name, stuck.reason);
    const boots = steps.some(({ kind }) => kind === 'start' || kind === 'reach');
    await mapParallel(steps, boots ? parallelStarts : steps.length, async (step) => {
      const member = members.get(step.name);
      if (member) await doStep(step, member, acts, progress);
    });
    const phase = phaseOf(steps);
    phases.set(phase, (phases.get(phase) ?? 0) + performance.now() - startedMs);
  }
  throw stuckError(record.name, `${MOST_ROUNDS} rounds led nowhere`);
}

/** parallelStarts is how many machines this computer boots at once: emulated ones share its processors. */
export async function parallelStarts(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const { kind } = await detectAccelerator(env);
  return kind === 'kvm' ? 4 : Math.max(1, Math.floor(cpus().length / 2));
}

/** roleOf is the role of a member in the words of the API. */
export function roleOf({ role }: Pick<ClusterMember, 'role'>): NodeRole {
  return role === 'worker' ? NodeRole.WORKER : NodeRole.CONTROL_PLANE;
}

/** addressOf is the address by which nodes of a cluster reach a member. */
export function addressOf(record: ClusterRecord, member: ClusterMember): string {
  return memberAddress(record.network, member);
}

async function doStep(
  step: ClusterStep,
  member: ClusterMember,
  acts: ClusterActs,
  progress: Progress,
): Promise<void> {
  const { name } = step;
  const follow = (title: string, kind: ActKind, begin: () => Promise<void>) =>
    progress.step(title, async (line) => {
      await begin();
      await acts.follow(name, kind, line);
    });
  switch (step.kind) {
    case 'start':
    case 'reach':
      return progress.step(`Bring up machine "${name}"`, (line) => acts.start(member, line));
    case 'resume':
      return progress.step(`Resume machine "${name}"`, () => acts.resume(name));
    case 'await-act':
      if (step.act === 'unknown') throw stuckError(name, 'it does something this client does not know');
      return follow(`Wait for the ${step.act} of node "${name}"`, KINDS[step.act], async () => {});
    case 'bootstrap':
      return follow(`Bootstrap the cluster on node "${name}"`, ActKind.BOOTSTRAP, () =>
        acts.bootstrap(member),
      );
    case 'join':
      return follow(`Join node "${name}"`, ActKind.JOIN, () => acts.join(member, step.inviter));
    case 'stuck':
      throw stuckError(name, step.reason);
  }
}

function phaseOf(steps: readonly ClusterStep[]): string {
  const kinds = new Set(steps.map((step) => (step.kind === 'await-act' ? step.act : step.kind)));
  if (kinds.has('bootstrap')) return 'bootstrap';
  return kinds.has('join') ? 'join' : 'machines';
}

function stuckError(name: string, reason: string): PlinthError {
  return new PlinthError('cluster/stuck', `Cannot bring up the cluster: node "${name}": ${reason}`);
}
