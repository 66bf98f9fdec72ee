import {
  type CheckResult,
  type CheckSpec,
  fail,
  overallVerdict,
  pass,
  runCheck,
  type Verdict,
} from '../checks/check.ts';
import { parseMountInfo } from '../kernel/mountinfo.ts';
import type { Sys } from '../sys/sys.ts';
import { ipeChecks } from './ipe-check.ts';
import { kernelChecks } from './kernel-checks.ts';
import { layerCheck, layerRootHashes } from './layer-check.ts';
import { listeningSocketsCheck } from './listening-sockets.ts';
import { judgeMounts, type MountReport, missingMounts } from './mount-checks.ts';
import type { PathRule } from './path-table.ts';
import { HOST_MOUNTS, observeRoot, rootChecks } from './root-checks.ts';
import { secureBootCheck } from './secure-boot.ts';
import { selinuxDomainsCheck } from './selinux-checks.ts';
import { slotSignatureCheck } from './slot-signature.ts';
import { measuredBootCheck, type PcrValue, readPcrs } from './tpm.ts';
import { varChecks } from './var-encryption.ts';

/** The posture of the running system, observed now. */
export interface Integrity {
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
  readonly mounts: readonly MountReport[];
  readonly pcrs: readonly PcrValue[];
  /** Hexadecimal, "" when the root is not on dm-verity. */
  readonly rootHash: string;
  /** Of the signed volumes beside the root while layers are merged; hexadecimal, sorted. */
  readonly layerRootHashes: readonly string[];
  readonly observedAtMs: number;
}

/**
 * collectIntegrity observes the machine and judges it. Never throws: what cannot be observed is `unknown`.
 * @param probes checks that make the kernel refuse something; see probeChecks
 */
export async function collectIntegrity(
  sys: Sys,
  rules: readonly PathRule[],
  probes: readonly CheckSpec[],
): Promise<Integrity> {
  const observedAtMs = sys.nowMs();
  const specs = [
    secureBootCheck,
    measuredBootCheck,
    ...rootChecks(),
    slotSignatureCheck,
    layerCheck,
    ...kernelChecks,
    ...ipeChecks,
    selinuxDomainsCheck,
    ...(await varChecks(sys)),
    mountsCheck(rules),
    listeningSocketsCheck,
    ...probes,
  ];
  const checks = await Promise.all(specs.map((spec) => runCheck(spec, sys)));
  const root = await observeRoot(sys).catch(() => undefined); // the checks say why
  return {
    verdict: overallVerdict(checks.map(({ verdict }) => verdict)),
    checks,
    mounts: await hostMounts(sys, rules).catch(() => []), // the check "mounts" says why
    pcrs: await readPcrs(sys).catch(() => []), // the check "measured-boot" says why
    rootHash: root?.table?.rootHash ?? '',
    layerRootHashes: await layerRootHashes(sys).catch(() => []), // the check "layer-signature" says why
    observedAtMs,
  };
}

async function hostMounts(sys: Sys, rules: readonly PathRule[]): Promise<readonly MountReport[]> {
  return judgeMounts(parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8')), rules);
}

function mountsCheck(rules: readonly PathRule[]): CheckSpec {
  return {
    id: 'mounts',
    expected: 'every mount as the path table of the image says',
    source: HOST_MOUNTS,
    fix: 'Find out what mounted it; see the list of mounts for what differs.',
    async observe(sys) {
      const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
      const reports = judgeMounts(mounts, rules);
      const wrong = reports
        .filter(({ verdict }) => verdict !== 'pass')
        .map(({ target, difference }) => `${target}: ${difference}`);
      const missing = missingMounts(mounts, rules).map((path) => `${path}: it is not mounted`);
      const problems = [...missing, ...wrong];
      return problems.length === 0
        ? pass(`${reports.length} mounts`)
        : fail(problems.slice(0, 5).join(' | '));
    },
  };
}
