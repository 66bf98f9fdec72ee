import { createHash } from 'node:crypto';
import { type Lane, momentMs, type RolloutPhase, type Target } from '../../objects/index.ts';
import type { FleetView, StoredPolicy, StoredRelease, StoredRollout } from '../../view/view.ts';
import { isToDo, poolOf } from './pool.ts';

/** Phases in which a rollout has nothing left to do. */
const ENDED: ReadonlySet<RolloutPhase> = new Set(['Complete', 'Superseded', 'Stopped']);
const LANES: readonly Lane[] = ['Standard', 'High', 'Critical'];

/** What a policy's nodes are to be brought to. */
export interface Wanted {
  readonly release: StoredRelease;
  /** Absent until it was created. */
  readonly rollout: StoredRollout | undefined;
  readonly lane: Lane;
}

/** Whether a rollout does nothing any more. */
export function isEnded(rollout: StoredRollout): boolean {
  return ENDED.has(rollout.status?.phase ?? 'Pending');
}

/** All rollouts of a policy, by name. */
export function rolloutsOf(view: FleetView, policyName: string): StoredRollout[] {
  return [...view.rollouts.values()]
    .filter(({ spec }) => spec.policy === policyName)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The name of the rollout of a release to a policy's nodes: for people its beginning, for uniqueness its end. */
export function rolloutNameOf(policyName: string, releaseName: string): string {
  const hash = createHash('sha256').update(`${policyName}\n${releaseName}`).digest('hex').slice(0, 8);
  const beginning = `${policyName}-${releaseName}`.slice(0, 200).replace(/[^a-z0-9]+$/, '');
  return `${beginning}-${hash}`;
}

function holdsFixes(release: StoredRelease, critical: StoredRelease): boolean {
  const fixed = new Set(release.spec.cves);
  return critical.spec.cves.length > 0 && critical.spec.cves.every((cve) => fixed.has(cve));
}

/**
 * wantedOf decides what a policy's nodes go to: the release it names. Where that one is Critical and the rollout under way
 * already brings all it fixes, that rollout goes on, in the lane Critical, and the named release follows when nobody is left
 * to do, without hurry: no node is started twice for one fix. undefined: nothing is wanted, or it cannot be found.
 */
export function wantedOf(view: FleetView, policy: StoredPolicy): Wanted | undefined {
  const release = view.releases.get(policy.spec.release);
  if (release === undefined) return undefined;
  const rollouts = rolloutsOf(view, policy.name);
  const own = rollouts.find(({ spec }) => spec.release === release.name);
  if (own !== undefined) return { release, rollout: own, lane: own.spec.lane };
  const wanted: Wanted = { release, rollout: undefined, lane: release.spec.severity };
  const [latest] = rollouts.toSorted((a, b) => startMs(b) - startMs(a));
  const held = latest && view.releases.get(latest.spec.release);
  if (release.spec.severity !== 'Critical' || latest === undefined || held === undefined) return wanted;
  const isGone = latest.status?.phase === 'Superseded' || latest.status?.phase === 'Stopped';
  if (isGone || isHeldUp(latest) || held.spec.blocked || !holdsFixes(held, release)) return wanted;
  const { members } = poolOf(view, policy, targetOf(held, latest.name, 'Critical'));
  const isUnderWay = members.some((member) => isToDo(member) || member.standing === 'soaking');
  const areAllFixed = members.every(({ standing }) => standing === 'done');
  if (isUnderWay || (areAllFixed && latest.status?.phase !== 'Complete'))
    return { release: held, rollout: latest, lane: 'Critical' };
  return { ...wanted, lane: areAllFixed ? 'Standard' : 'Critical' };
}

function startMs({ status, createdAtMs }: StoredRollout): number {
  return status === undefined ? createdAtMs : momentMs(status.startedAt);
}

function isHeldUp({ spec, status }: StoredRollout): boolean {
  return spec.paused || spec.halt !== '' || spec.abort !== 'None' || status?.phase === 'Halted';
}

/** The lane that is more urgent of two. */
export function moreUrgent(a: Lane, b: Lane): Lane {
  return LANES.indexOf(a) > LANES.indexOf(b) ? a : b;
}

/** The parts of a release, as a node is brought to them by a rollout. */
export function targetOf(release: StoredRelease, rollout: string, lane: Lane): Target {
  const { os, kubernetes, config, hotLayer, rebootRequired } = release.spec;
  return {
    release: release.name,
    rollout,
    lane,
    osVersion: os?.version ?? '',
    osRootHash: os?.rootHash ?? '',
    kubernetesVersion: kubernetes?.version ?? '',
    kubernetesDigest: kubernetes?.layerDigest ?? '',
    configDigest: config?.digest ?? '',
    hotLayerSerial: hotLayer?.serial ?? 0,
    rebootRequired,
  };
}

/**
 * wantedTarget is what a node of the policy that is under way may be swapped to. undefined: nothing is wanted just now,
 * because nothing is named, the release is recalled, or its rollout is paused, halted or aborted.
 */
export function wantedTarget(view: FleetView, policyName: string): Target | undefined {
  const policy = view.policies.get(policyName);
  const wanted = policy && wantedOf(view, policy);
  if (policy === undefined || wanted?.rollout === undefined || policy.spec.paused) return undefined;
  if (wanted.release.spec.blocked || isHeldUp(wanted.rollout) || isEnded(wanted.rollout)) return undefined;
  if (wanted.rollout.status?.phase === 'RollingBack') return undefined;
  return targetOf(wanted.release, wanted.rollout.name, wanted.lane);
}
