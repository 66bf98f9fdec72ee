import { ActKind, ActState, CisVerdict, Membership, NodeRole } from './gen/plinth/node/v1/kubernetes_pb.ts';
import { MachineActKind, MachineActState } from './gen/plinth/node/v1/machine_pb.ts';
import { BootEndKind, BootState, HealthState, PartitionRole, Verdict } from './gen/plinth/node/v1/node_pb.ts';
import { UpdatePhase } from './gen/plinth/node/v1/update_pb.ts';

/** The word for a verdict. What a newer node may send and this client does not know is "unknown", never a pass. */
export function verdictName(verdict: Verdict): 'pass' | 'fail' | 'unknown' {
  if (verdict === Verdict.PASS) return 'pass';
  return verdict === Verdict.FAIL ? 'fail' : 'unknown';
}

/** The word for a health state; "unknown" for one that this client does not know. */
export function healthStateName(state: HealthState): 'healthy' | 'degraded' | 'unhealthy' | 'unknown' {
  if (state === HealthState.HEALTHY) return 'healthy';
  if (state === HealthState.DEGRADED) return 'degraded';
  return state === HealthState.UNHEALTHY ? 'unhealthy' : 'unknown';
}

/** The word for the state of a boot entry; "unknown" for one that this client does not know. */
export function bootStateName(state: BootState): 'good' | 'trial' | 'bad' | 'unknown' {
  if (state === BootState.GOOD) return 'good';
  if (state === BootState.TRIAL) return 'trial';
  return state === BootState.BAD ? 'bad' : 'unknown';
}

/** What a partition is for, in words; "other" for a role that this client does not know. */
export function partitionRoleName(role: PartitionRole): string {
  if (role === PartitionRole.ESP) return 'ESP';
  if (role === PartitionRole.ROOT) return 'root';
  if (role === PartitionRole.ROOT_VERITY) return 'hash tree';
  if (role === PartitionRole.ROOT_VERITY_SIGNATURE) return 'signature';
  return role === PartitionRole.VAR ? '/var' : 'other';
}

/** What a node does in a cluster, in words; "unknown" for a role that this client does not know. */
export function nodeRoleName(role: NodeRole): 'control-plane' | 'worker' | 'unknown' {
  if (role === NodeRole.CONTROL_PLANE) return 'control-plane';
  return role === NodeRole.WORKER ? 'worker' : 'unknown';
}

/** The word for a membership; "unknown" for one that this client does not know. */
export function membershipName(membership: Membership): 'none' | 'pending' | 'member' | 'unknown' {
  if (membership === Membership.NONE) return 'none';
  if (membership === Membership.PENDING) return 'pending';
  return membership === Membership.MEMBER ? 'member' : 'unknown';
}

/** The word for what an act does; "unknown" for a kind that this client does not know. */
export function actKindName(kind: ActKind): 'bootstrap' | 'join' | 'upgrade' | 'leave' | 'unknown' {
  if (kind === ActKind.BOOTSTRAP) return 'bootstrap';
  if (kind === ActKind.JOIN) return 'join';
  if (kind === ActKind.UPGRADE) return 'upgrade';
  return kind === ActKind.LEAVE ? 'leave' : 'unknown';
}

/** The word for the state of an act or a step; "unknown" for one that this client does not know, never "done". */
export function actStateName(state: ActState): 'running' | 'done' | 'failed' | 'reverted' | 'unknown' {
  if (state === ActState.RUNNING) return 'running';
  if (state === ActState.DONE) return 'done';
  if (state === ActState.FAILED) return 'failed';
  return state === ActState.REVERTED ? 'reverted' : 'unknown';
}

/** The word for a verdict of the CIS benchmark; "unknown" for one that this client does not know. */
export function cisVerdictName(verdict: CisVerdict): 'pass' | 'fail' | 'accepted' | 'manual' | 'unknown' {
  if (verdict === CisVerdict.PASS) return 'pass';
  if (verdict === CisVerdict.FAIL) return 'fail';
  if (verdict === CisVerdict.ACCEPTED) return 'accepted';
  return verdict === CisVerdict.MANUAL ? 'manual' : 'unknown';
}

/** The word for what is done to a machine; "unknown" for a kind that this client does not know. */
export function machineActKindName(kind: MachineActKind): 'reboot' | 'shutdown' | 'reset' | 'unknown' {
  if (kind === MachineActKind.REBOOT) return 'reboot';
  if (kind === MachineActKind.SHUTDOWN) return 'shutdown';
  return kind === MachineActKind.RESET ? 'reset' : 'unknown';
}

/** The word for how far an act on a machine is; "unknown" for one that this client does not know, never "done". */
export function machineActStateName(
  state: MachineActState,
): 'draining' | 'ending' | 'returning' | 'done' | 'failed' | 'unknown' {
  if (state === MachineActState.DRAINING) return 'draining';
  if (state === MachineActState.ENDING) return 'ending';
  if (state === MachineActState.RETURNING) return 'returning';
  if (state === MachineActState.DONE) return 'done';
  return state === MachineActState.FAILED ? 'failed' : 'unknown';
}

/** How a boot ended, in words; "unknown" also for a kind that this client does not know. */
export function bootEndKindName(kind: BootEndKind): string {
  const words: Partial<Record<BootEndKind, string>> = {
    [BootEndKind.FIRST_BOOT]: 'first boot',
    [BootEndKind.REBOOT]: 'reboot',
    [BootEndKind.SHUTDOWN]: 'shutdown',
    [BootEndKind.ORDERLY]: 'orderly, not asked for over the API',
    [BootEndKind.KERNEL_PANIC]: 'kernel panic',
    [BootEndKind.WATCHDOG]: 'watchdog',
    [BootEndKind.ABRUPT]: 'power loss or reset: no sign of an end',
  };
  return words[kind] ?? 'unknown';
}

const phaseNames: Readonly<Record<UpdatePhase, string>> = {
  [UpdatePhase.UNSPECIFIED]: 'unknown',
  [UpdatePhase.IDLE]: 'idle',
  [UpdatePhase.CHECKING]: 'checking',
  [UpdatePhase.DOWNLOADING]: 'downloading',
  [UpdatePhase.VERIFYING]: 'verifying',
  [UpdatePhase.STAGED]: 'staged',
  [UpdatePhase.DRAINING]: 'draining',
  [UpdatePhase.REBOOTING]: 'rebooting',
  [UpdatePhase.ASSESSING]: 'assessing',
  [UpdatePhase.COMMITTED]: 'committed',
  [UpdatePhase.ROLLED_BACK]: 'rolled-back',
  [UpdatePhase.FAILED]: 'failed',
};

/** The word for how far an update is; "unknown" for one that this client does not know, never "committed". */
export function updatePhaseName(phase: UpdatePhase): string {
  return phaseNames[phase] ?? 'unknown';
}
