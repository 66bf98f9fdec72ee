import { PlinthError } from '@plinth/base';
import type { NodeRole } from '../cluster-spec.ts';
import { compareKubernetesVersions, parseKubernetesVersion } from '../kubernetes-version.ts';

/** What decides whether a node may go to a version. */
export interface UpgradeFacts {
  readonly role: NodeRole;
  /** Version the node runs. */
  readonly from: string;
  readonly to: string;
  /** Version of the control plane as kubeadm has it. */
  readonly cluster: string;
}

/**
 * judgeUpgrade applies the version skew policy of Kubernetes: no downgrade, one minor at a time, control planes first.
 * @returns "apply" for the node that brings the cluster to the version, "node" for those that follow
 * @throws kubernetes/version-skew
 */
export function judgeUpgrade({ role, from, to, cluster }: UpgradeFacts): 'apply' | 'node' {
  const [old, next] = [parseKubernetesVersion(from), parseKubernetesVersion(to)];
  if (!old || !next) throw refused(from, to, 'one of them is no version');
  if (compareKubernetesVersions(to, from) <= 0) throw refused(from, to, 'it is not newer');
  if (next.major !== old.major || next.minor > old.minor + 1)
    throw refused(from, to, 'more than one minor version lies between');
  const ahead = compareKubernetesVersions(to, cluster);
  if (ahead === 0) return 'node';
  if (ahead < 0) throw refused(from, to, `the cluster is at ${cluster}, expected that version`);
  if (role === 'worker')
    throw refused(from, to, `the control plane is at ${cluster}, expected it to be upgraded first`);
  return 'apply';
}

function refused(from: string, to: string, why: string): PlinthError {
  return new PlinthError('kubernetes/version-skew', `Cannot upgrade from ${from} to ${to}: ${why}`);
}
