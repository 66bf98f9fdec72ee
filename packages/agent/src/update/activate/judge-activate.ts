import { PlinthError } from '@plinth/base';
import { planActivate, planRollback, type SlotDisk, viewSlots } from '@plinth/updates';
import type { StageRecord } from '../types.ts';

/** Boots in which a version may become healthy. */
export const TRIES = 3;

/** What decides whether a version may be activated. */
export interface ActivateFacts {
  readonly disk: SlotDisk;
  readonly stage: StageRecord | undefined;
  /** Minor versions of Kubernetes that the node runs or is to run, "1.37". */
  readonly kubernetesMinors: readonly string[];
}

/**
 * judgeActivate says which version an activation is of; pure. Whether the system may reboot is asked elsewhere.
 * @param wanted what was named; "" for what is staged
 * @throws update/act-running, update/nothing-staged, update/other-staged, update/kubernetes-skew, and what planActivate throws
 */
export function judgeActivate({ disk, stage, kubernetesMinors }: ActivateFacts, wanted: string): string {
  assertNotStaging(stage, `activate ${wanted || 'a version'}`);
  const { staged } = viewSlots(disk);
  const version = wanted || staged?.version || '';
  if (version === '')
    throw new PlinthError('update/nothing-staged', 'Cannot activate: nothing is staged, expected a version');
  planActivate(disk, version, TRIES);
  const minors = stage?.version === version ? stage.kubernetes : undefined;
  const foreign = minors && kubernetesMinors.find((minor) => !minors.includes(minor));
  if (foreign !== undefined)
    throw new PlinthError(
      'update/kubernetes-skew',
      `Cannot activate ${version}: the node runs Kubernetes ${foreign}, the version is for ${minors?.join(', ')}`,
    );
  return version;
}

/**
 * judgeRollBack says which version the node goes back to; pure.
 * @throws update/act-running, update/no-rollback
 */
export function judgeRollBack({ disk, stage }: Pick<ActivateFacts, 'disk' | 'stage'>): string {
  assertNotStaging(stage, 'roll back');
  planRollback(disk);
  return viewSlots(disk).rollback?.version ?? '';
}

function assertNotStaging(stage: StageRecord | undefined, what: string): void {
  if (stage?.state !== 'running') return;
  throw new PlinthError(
    'update/act-running',
    `Cannot ${what}: staging of ${stage.version ?? 'the next version'} runs, expected it to have ended`,
    { retryable: true },
  );
}
