import { BootState, HealthState, PartitionRole, Verdict } from './gen/plinth/node/v1/node_pb.ts';

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
