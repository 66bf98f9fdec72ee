export { type AccessCalls, REVOCATIONS_LIMIT, revocationsToSign } from './access-calls.ts';
export { ATTESTATION_CHANNEL, type AttestAnswer, type AttestationCalls } from './attestation-calls.ts';
export type { AuditCalls } from './audit-calls.ts';
export {
  AUDIT_ORIGIN,
  type AuditCheckpoint,
  type AuditVerdict,
  type AuditVerifier,
  auditLineHash,
  openAuditVerifier,
} from './audit-chain.ts';
export type { BootstrapContainersCalls } from './bootstrap-containers-calls.ts';
export type { CaptureCalls, CaptureLimits } from './capture-calls.ts';
export { CONFIG_LIMIT_BYTES, type ConfigCalls } from './config-calls.ts';
export { connectNode, type NodeClient } from './connect-node.ts';
export type { ContainersCalls } from './containers-calls.ts';
export { type NodeTarget, seeFingerprint } from './dial-node.ts';
export type { EtcdCalls } from './etcd-calls.ts';
export type { FilesCalls } from './files-calls.ts';
export { fingerprintOf, isFingerprint, isNodeId, nodeIdOf } from './fingerprint.ts';
export * from './gen/plinth/node/v1/access_pb.ts';
export * from './gen/plinth/node/v1/attestation_pb.ts';
export * from './gen/plinth/node/v1/audit_pb.ts';
export * from './gen/plinth/node/v1/bootstrap_containers_pb.ts';
export * from './gen/plinth/node/v1/capture_pb.ts';
export * from './gen/plinth/node/v1/config_pb.ts';
export * from './gen/plinth/node/v1/containers_pb.ts';
export * from './gen/plinth/node/v1/etcd_pb.ts';
export * from './gen/plinth/node/v1/files_pb.ts';
export * from './gen/plinth/node/v1/hot_layer_pb.ts';
export * from './gen/plinth/node/v1/kubernetes_pb.ts';
export * from './gen/plinth/node/v1/login_pb.ts';
export * from './gen/plinth/node/v1/logs_pb.ts';
export * from './gen/plinth/node/v1/machine_pb.ts';
export * from './gen/plinth/node/v1/maintenance_pb.ts';
export * from './gen/plinth/node/v1/node_pb.ts';
export { Access, access, audited } from './gen/plinth/node/v1/options_pb.ts';
export * from './gen/plinth/node/v1/posture_pb.ts';
export * from './gen/plinth/node/v1/session_pb.ts';
export * from './gen/plinth/node/v1/system_network_pb.ts';
export * from './gen/plinth/node/v1/system_pb.ts';
export * from './gen/plinth/node/v1/system_storage_pb.ts';
export * from './gen/plinth/node/v1/tunnel_pb.ts';
export * from './gen/plinth/node/v1/update_pb.ts';
export * from './gen/plinth/node/v1/var_key_pb.ts';
export type { HotLayerCalls, HotLayerUpload } from './hot-layer-calls.ts';
export type { KubernetesCalls, LayerUpload } from './kubernetes-calls.ts';
export { nodeCallLimitMs } from './limits.ts';
export { keyBindingOf, type LoginCalls } from './login-calls.ts';
export type { LogsCalls } from './logs-calls.ts';
export type { MachineCalls, StartPermission } from './machine-calls.ts';
export type { MaintenanceCalls } from './maintenance-calls.ts';
export { messageData } from './message-data.ts';
export {
  actKindName,
  actStateName,
  bootEndKindName,
  bootStateName,
  cisVerdictName,
  healthStateName,
  machineActKindName,
  machineActStateName,
  membershipName,
  nodeRoleName,
  partitionRoleName,
  updatePhaseName,
  verdictName,
} from './names.ts';
export { type PostureCalls, SECURITY_FACTS_MAXIMUM } from './posture-calls.ts';
export type {
  SessionCalls,
  SessionRequest,
  TerminalInput,
  TerminalOutput,
  TerminalSize,
} from './session-calls.ts';
export type { SystemCalls } from './system-calls.ts';
export { CHUNK_LIMIT_BYTES, type Transfer } from './transfer.ts';
export type { TunnelCalls } from './tunnel-calls.ts';
export type { UpdateCalls } from './update-calls.ts';

/** The port plinthd listens on. */
export const nodeApiPort = 7546;
export type { VarKeyCalls } from './var-key-calls.ts';
