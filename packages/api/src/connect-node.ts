import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { type AccessCalls, accessCalls } from './access-calls.ts';
import { type AttestationCalls, attestationCalls } from './attestation-calls.ts';
import { type AuditCalls, auditCalls } from './audit-calls.ts';
import { type BootstrapContainersCalls, bootstrapContainersCalls } from './bootstrap-containers-calls.ts';
import { type CaptureCalls, captureCalls } from './capture-calls.ts';
import { type ConfigCalls, configCalls } from './config-calls.ts';
import { type ContainersCalls, containersCalls } from './containers-calls.ts';
import type { NodeTarget } from './dial-node.ts';
import { type EtcdCalls, etcdCalls } from './etcd-calls.ts';
import { type FilesCalls, filesCalls } from './files-calls.ts';
import {
  type GetBootReportResponse,
  type GetHealthResponse,
  type GetIdentityResponse,
  type GetIntegrityResponse,
  type GetSlotsResponse,
  type GetVersionsResponse,
  NodeService,
} from './gen/plinth/node/v1/node_pb.ts';
import { type HotLayerCalls, hotLayerCalls } from './hot-layer-calls.ts';
import { type KubernetesCalls, kubernetesCalls } from './kubernetes-calls.ts';
import { nodeCallLimitMs } from './limits.ts';
import { type LoginCalls, loginCalls } from './login-calls.ts';
import { type LogsCalls, logsCalls } from './logs-calls.ts';
import { type MachineCalls, machineCalls } from './machine-calls.ts';
import { type MaintenanceCalls, maintenanceCalls } from './maintenance-calls.ts';
import { NodeSession } from './node-session.ts';
import { type PostureCalls, postureCalls } from './posture-calls.ts';
import { callError } from './rpc-error.ts';
import { type SessionCalls, sessionCalls } from './session-calls.ts';
import { type SystemCalls, systemCalls } from './system-calls.ts';
import { type TunnelCalls, tunnelCalls } from './tunnel-calls.ts';
import { type UpdateCalls, updateCalls } from './update-calls.ts';
import { type VarKeyCalls, varKeyCalls } from './var-key-calls.ts';

/** Bound on one answer; the largest, GetIntegrity with hundreds of container mounts, stays far below. */
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;

/** A node as its API shows it. Each call throws a PlinthError with a code of area `api`. */
export interface NodeClient extends Disposable {
  getIdentity(): Promise<GetIdentityResponse>;
  getVersions(): Promise<GetVersionsResponse>;
  getSlots(): Promise<GetSlotsResponse>;
  getIntegrity(): Promise<GetIntegrityResponse>;
  getBootReport(): Promise<GetBootReportResponse>;
  getHealth(): Promise<GetHealthResponse>;
  readonly kubernetes: KubernetesCalls;
  readonly etcd: EtcdCalls;
  readonly machine: MachineCalls;
  readonly update: UpdateCalls;
  readonly hotLayer: HotLayerCalls;
  readonly config: ConfigCalls;
  readonly system: SystemCalls;
  readonly posture: PostureCalls;
  readonly tunnel: TunnelCalls;
  readonly logs: LogsCalls;
  readonly containers: ContainersCalls;
  readonly files: FilesCalls;
  readonly capture: CaptureCalls;
  readonly audit: AuditCalls;
  readonly attestation: AttestationCalls;
  readonly access: AccessCalls;
  readonly bootstrapContainers: BootstrapContainersCalls;
  readonly session: SessionCalls;
  readonly maintenance: MaintenanceCalls;
  readonly login: LoginCalls;
  readonly varKey: VarKeyCalls;
  /** Ends the connection. The client dials again if it is used afterwards. */
  close(): void;
}

/**
 * connectNode gives a client for one node. Nothing is dialled before the first call.
 *
 * Calls throw api/unreachable, api/timeout, api/forbidden, api/identity-mismatch, api/bad-credentials,
 * api/protocol, api/unsupported, api/overloaded, api/refused, api/bad-request, api/not-found or api/failed,
 * or with the code that the node itself names.
 *
 * @example
 * using node = connectNode({ address: '127.0.0.1', port: 7546, fingerprint, clientCertificatePem, clientKeyPem, timeoutMs: 5000 });
 * const { state } = await node.getHealth();
 */
export function connectNode(target: NodeTarget): NodeClient {
  const session = new NodeSession(target);
  const transport = createGrpcTransport({
    baseUrl: session.authority,
    sessionManager: session,
    acceptCompression: [],
    readMaxBytes: ANSWER_LIMIT_BYTES,
    defaultTimeoutMs: target.timeoutMs,
  });
  const client = createClient(NodeService, transport);
  // A node refuses a call that asks for more time than it gives; the longer bound is for calls of other services.
  const brief = { timeoutMs: Math.min(target.timeoutMs, nodeCallLimitMs) };
  const fail = (reason: unknown, method: string) => callError(reason, method, target);
  const answer = async <T>(method: string, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (reason) {
      throw fail(reason, method);
    }
  };
  const close = () => session.close();
  return {
    getIdentity: () => answer('GetIdentity', client.getIdentity({}, brief)),
    getVersions: () => answer('GetVersions', client.getVersions({}, brief)),
    getSlots: () => answer('GetSlots', client.getSlots({}, brief)),
    getIntegrity: () => answer('GetIntegrity', client.getIntegrity({}, brief)),
    getBootReport: () => answer('GetBootReport', client.getBootReport({}, brief)),
    getHealth: () => answer('GetHealth', client.getHealth({}, brief)),
    kubernetes: kubernetesCalls(transport, answer),
    config: configCalls(transport, answer),
    etcd: etcdCalls(transport, answer, fail),
    system: systemCalls(transport, answer, target.timeoutMs),
    logs: logsCalls(transport, fail),
    containers: containersCalls(transport, answer, fail),
    files: filesCalls(transport, answer, fail),
    capture: captureCalls(transport, fail),
    audit: auditCalls(transport, answer, fail),
    varKey: varKeyCalls(transport, answer),
    attestation: attestationCalls(transport, answer, session.exportKeys),
    access: accessCalls(transport, answer),
    bootstrapContainers: bootstrapContainersCalls(transport, answer),
    session: sessionCalls(transport, answer, fail),
    posture: postureCalls(transport, answer, target.timeoutMs),
    tunnel: tunnelCalls(transport, answer, fail),
    machine: machineCalls(transport, answer),
    update: updateCalls(transport, answer, fail),
    hotLayer: hotLayerCalls(transport, answer),
    maintenance: maintenanceCalls(transport, answer),
    login: loginCalls(transport, answer),
    close,
    [Symbol.dispose]: close,
  };
}
