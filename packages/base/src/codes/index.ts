import { accessCodes } from './access.ts';
import { advisorCodes } from './advisor.ts';
import { advisoryCodes } from './advisory.ts';
import { agentCodes } from './agent.ts';
import { attestCodes } from './attest.ts';
import { captureCodes } from './capture.ts';
import { cliCodes } from './cli.ts';
import { clusterCodes } from './cluster.ts';
import { configCodes } from './config.ts';
import { configTransactionCodes } from './config-transaction.ts';
import { debianCodes } from './debian.ts';
import { etcdCodes } from './etcd.ts';
import { fleetCodes } from './fleet.ts';
import { formatsCodes } from './formats.ts';
import { goCodes } from './go.ts';
import { hostCodes } from './host.ts';
import { hotLayerCodes } from './hot-layer.ts';
import { imageCodes } from './image.ts';
import { kubeCodes } from './kube.ts';
import { kubernetesCodes } from './kubernetes.ts';
import { kubernetesAccessCodes } from './kubernetes-access.ts';
import { logsCodes } from './logs.ts';
import { machineCodes } from './machine.ts';
import { migrateCheckCodes } from './migrate-check.ts';
import { policyCodes } from './policy.ts';
import { postureCodes } from './posture.ts';
import { publishCodes } from './publish.ts';
import { releaseCodes } from './release.ts';
import { sessionCodes } from './session.ts';
import { toolboxCodes } from './toolbox.ts';
import { trustCodes } from './trust.ts';
import { tunnelCodes } from './tunnel.ts';
import type { CodeEntry } from './types.ts';
import { updateCodes } from './update.ts';
import { updateDecisionCodes } from './update-decision.ts';
import { updateStageCodes } from './update-stage.ts';
import { varKeyCodes } from './var-key.ts';
import { vmCodes } from './vm.ts';
import { volumeCodes } from './volume.ts';
import { workloadCodes } from './workload.ts';

/** Every code Plinth can report, closed: a code that is not here does not compile. */
export const errorCodes = {
  ...accessCodes,
  ...advisorCodes,
  ...advisoryCodes,
  ...agentCodes,
  ...attestCodes,
  ...captureCodes,
  ...cliCodes,
  ...clusterCodes,
  ...configCodes,
  ...configTransactionCodes,
  ...debianCodes,
  ...etcdCodes,
  ...fleetCodes,
  ...formatsCodes,
  ...goCodes,
  ...hostCodes,
  ...hotLayerCodes,
  ...imageCodes,
  ...kubeCodes,
  ...kubernetesCodes,
  ...kubernetesAccessCodes,
  ...logsCodes,
  ...machineCodes,
  ...migrateCheckCodes,
  ...policyCodes,
  ...postureCodes,
  ...publishCodes,
  ...releaseCodes,
  ...sessionCodes,
  ...toolboxCodes,
  ...trustCodes,
  ...tunnelCodes,
  ...updateCodes,
  ...updateDecisionCodes,
  ...updateStageCodes,
  ...varKeyCodes,
  ...vmCodes,
  ...volumeCodes,
  ...workloadCodes,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The documentation of a code. */
export function describeCode(code: ErrorCode): CodeEntry {
  return errorCodes[code];
}

/** isErrorCode tells a code from any other text. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
