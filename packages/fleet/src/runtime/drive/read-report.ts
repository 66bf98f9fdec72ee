import {
  type Act,
  ActState,
  type GetHotLayerResponse,
  type GetIdentityResponse,
  type GetKubernetesResponse,
  type GetUpdateResponse,
  HealthContractState,
  updatePhaseName,
} from '@plinth/api';
import {
  type KubernetesAct,
  LIST_LIMIT,
  momentOf,
  type NodeReport,
  type Reason,
  type Target,
} from '../../objects/index.ts';
import { type ConfigAnswers, configReport, revertReason } from './config-part.ts';

/** What plinthd answered. */
export interface NodeAnswers {
  readonly identity: GetIdentityResponse;
  readonly update: GetUpdateResponse;
  readonly kubernetes: GetKubernetesResponse;
  /** Asked only for a release that has one. */
  readonly hotLayer: GetHotLayerResponse | undefined;
  /** Asked only for a release that has one; or why it did not answer. */
  readonly config: ConfigAnswers | Reason | undefined;
}

const CONTRACTS: Readonly<Record<HealthContractState, string>> = {
  [HealthContractState.UNSPECIFIED]: 'not-on-trial',
  [HealthContractState.NOT_ON_TRIAL]: 'not-on-trial',
  [HealthContractState.RUNNING]: 'running',
  [HealthContractState.HELD]: 'held',
  [HealthContractState.BROKEN]: 'broken',
};
const TEXT_LIMIT = 1000;

/** makeReport is what a node said as it is kept with the node; pure. @param failure of the call that was made with it */
export function makeReport(
  answers: NodeAnswers,
  target: Target | undefined,
  failure: Reason | undefined,
  nowMs: number,
): NodeReport {
  const { identity, update, kubernetes, hotLayer } = answers;
  const { booted, staged, rollback, contract } = update;
  const config = answers.config && !('code' in answers.config) ? answers.config : undefined;
  const refused = answers.config && 'code' in answers.config ? answers.config : undefined;
  const compared = config && target && configReport(config, target);
  const reverted =
    compared?.state === 'Reverted' && config && target ? revertReason(config, target) : undefined;
  const reason = reverted ?? failure ?? refused ?? fallBackReason(update, target);
  return {
    observedAt: momentOf(nowMs),
    bootId: identity.bootId,
    ...{ osVersion: booted?.version ?? '', osRootHash: booted?.rootHash ?? '' },
    ...{ stagedVersion: staged?.version ?? '', stagedRootHash: staged?.rootHash ?? '' },
    ...{ rollbackVersion: rollback?.version ?? '', rollbackRootHash: rollback?.rootHash ?? '' },
    updatePhase: updatePhaseName(update.phase),
    // That of an earlier boot says nothing of this one.
    contract:
      contract && isOf(contract.bootId, identity.bootId)
        ? (CONTRACTS[contract.state] ?? 'running')
        : 'not-on-trial',
    kubernetesVersion: kubernetes.version,
    configDigest: compared?.state === 'InEffect' ? (target?.configDigest ?? '') : '',
    hotLayerSerial: hotLayer?.layer?.serial ?? 0,
    blockedVersions: update.blocked.map(({ version }) => version).slice(-LIST_LIMIT),
    stagedPercent: stagedPercent(answers, target),
    ...(reason && { failure: reason }),
    ...(compared && { config: compared }),
    ...(kubernetes.act && tellsAct(kubernetes.act, target) && { kubernetesAct: actOf(kubernetes.act) }),
  };
}

const ACTS: Readonly<Partial<Record<ActState, KubernetesAct['state']>>> = {
  [ActState.DONE]: 'Done',
  [ActState.FAILED]: 'Failed',
  [ActState.REVERTED]: 'Reverted',
};

/** One that runs is waited for, whatever it is; of one that is over only a release with Kubernetes wants to know. */
function tellsAct(act: Act, target: Target | undefined): boolean {
  return (target?.kubernetesVersion ?? '') !== '' || ACTS[act.state] === undefined;
}

function actOf({ state, startedAt, failure }: Act): KubernetesAct {
  return {
    startedAt: momentOf(Number(startedAt?.seconds ?? 0n) * 1000 + Math.floor((startedAt?.nanos ?? 0) / 1e6)),
    state: ACTS[state] ?? 'Running',
    ...(failure && { failure: { code: failure.code, text: failure.message.slice(0, TEXT_LIMIT) } }),
  };
}

/** A contract after a soft-reboot names its start: the boot id with a count. */
function isOf(startId: string, bootId: string): boolean {
  return startId === bootId || startId.startsWith(`${bootId}+`);
}

/** 100 once every part of the release lies on the node, or runs. */
function stagedPercent(
  { update, kubernetes, hotLayer, config }: NodeAnswers,
  target: Target | undefined,
): number {
  if (!target) return 0;
  const { osRootHash, kubernetesVersion, hotLayerSerial, configDigest } = target;
  const version = kubernetesVersion.replace(/^v/, '');
  const parts = [
    osRootHash === '' || [update.booted?.rootHash, update.staged?.rootHash].includes(osRootHash),
    version === '' ||
      kubernetes.version === version ||
      kubernetes.layers.some((layer) => layer.version === version),
    hotLayerSerial === 0 ||
      [hotLayer?.layer, hotLayer?.staged].some((layer) => (layer?.serial ?? 0) >= hotLayerSerial),
    // The node has seen the documents and would take them.
    configDigest === '' || (config !== undefined && !('code' in config)),
  ];
  if (parts.every(Boolean)) return 100;
  const { doneBytes = 0n, totalBytes = 0n } = update.stage ?? {};
  return totalBytes > 0n ? Math.min(99, Number((doneBytes * 100n) / totalBytes)) : 0;
}

/** Why the node does not run what it was brought to, where it went back by itself. */
function fallBackReason(
  { lastFallBack, booted }: GetUpdateResponse,
  target: Target | undefined,
): Reason | undefined {
  if (!lastFallBack || lastFallBack.fromVersion !== target?.osVersion) return undefined;
  if (lastFallBack.toVersion !== booted?.version) return undefined;
  const { code = 'update/fell-back', message = '' } = lastFallBack.reason ?? {};
  const text = `fell back from ${lastFallBack.fromVersion}: ${message}`;
  return { code, text: text.slice(0, TEXT_LIMIT) };
}
