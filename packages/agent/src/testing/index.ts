export { auditFolder } from '../audit/audit-files.ts';
export { RUNTIME_FLAGS } from '../build/runtime-flags.ts';
export { findOsTree, MAKE_OS_ROOT } from '../containers/testing/os-containerd.ts';
export { shellLayer } from '../containers/testing/shell-image.ts';
export { serveImage, type TinyRegistry } from '../containers/testing/tiny-registry.ts';
export { readAdminCredentials } from '../kubernetes/access/credentials.ts';
export { createJoinToken } from '../kubernetes/access/join-tokens.ts';
export { type KubeClient, openKubeClient } from '../kubernetes/access/kube-client.ts';
export { openAdmission } from '../kubernetes/admission/admission.ts';
export { SIGNERS } from '../kubernetes/approve/judge-request.ts';
export { runApprover } from '../kubernetes/approve/run-approver.ts';
export { type JournalWriter, makeJournal } from '../logs/testing/make-journal.ts';
export { collectFacts } from '../posture/collect-facts.ts';
export { nodeSys } from '../sys/node-sys.ts';
export { openFolder } from '../sys/state-store.ts';
export { sampleMedium } from '../update/testing/fake-disk.ts';
export {
  type AskedFor,
  type Fault,
  type LyingServer,
  type LyingServerOptions,
  openLyingServer,
} from '../update/testing/lying-server.ts';
export { bundleStageProcess, runStageProcess } from '../update/testing/run-stage-process.ts';
export {
  publishReleases,
  type SampleRelease,
  sampleBlocks,
  sampleRelease,
} from '../update/testing/sample-release.ts';
export { sampleRepository } from '../update/testing/sample-repository.ts';
export type { StageReport } from '../update/testing/stage-process.ts';
export {
  type ClientCredentials,
  type ClientOptions,
  makeAuthority,
  type TestAuthority,
} from './authority.ts';
export { serveWorld, World } from './config-world.ts';
export { fakeSys } from './fake-sys.ts';
export {
  type HostileAnswer,
  type HostileOrder,
  runClient,
  startClient,
  statusMb,
} from './hostile-clients.ts';
export { cannotIsolate, type IsolatedPlinthd, startIsolated } from './isolated-plinthd.ts';
export { type KubeadmFiles, renderKubeadmFiles } from './kubeadm-files.ts';
export { type LogsServer, type LogsServerOptions, startLogsServer } from './logs-server.ts';
export { startIssuer, type TestIssuer } from './oidc-issuer.ts';
export { soundNode } from './sound-node.ts';
export { type StartedAgent, startAgent } from './start-agent.ts';
