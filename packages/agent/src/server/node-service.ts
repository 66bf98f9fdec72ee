import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import {
  BootState,
  GetBootReportResponseSchema,
  GetHealthResponseSchema,
  GetIdentityResponseSchema,
  GetIntegrityResponseSchema,
  GetSlotsResponseSchema,
  GetVersionsResponseSchema,
  HealthState,
  NodeService,
  PartitionRole,
} from '@plinth/api';
import { checkMessage, verdicts } from '../checks/check-message.ts';
import type { ConfigSource } from '../config/sources/read-sources.ts';
import type { Health } from '../health/collect-health.ts';
import type { NodeIdentity } from '../identity/open-identity.ts';
import type { Integrity } from '../integrity/collect-integrity.ts';
import { bootEndKinds } from '../machine/boot-end-kinds.ts';
import type { BootEnd } from '../machine/judge-boot-end.ts';
import { collectBootReport, uptimeMs } from '../reports/boot-report.ts';
import { collectSlots, type PartitionReport } from '../reports/slots.ts';
import { keptSystemStart } from '../reports/system-start.ts';
import type { Versions } from '../reports/versions.ts';
import { readText, type Sys } from '../sys/sys.ts';
import type { SlotsNote } from '../update/service/describe-slots.ts';
import { callerKey, requireRole } from './guard.ts';

/** What the service answers from. */
export interface NodeServiceSources {
  readonly sys: Sys;
  readonly identity: NodeIdentity;
  readonly configSource: ConfigSource;
  /** Version of plinthd itself. */
  readonly agentVersion: string;
  versions(): Promise<Versions>;
  integrity(): Promise<Integrity>;
  health(): Promise<Health>;
  /** How the boot before this one ended. */
  bootEnd(): Promise<BootEnd>;
  /** What updates know of the slots. Never rejects. */
  describeSlots(): Promise<SlotsNote>;
}

const healthStates = {
  healthy: HealthState.HEALTHY,
  degraded: HealthState.DEGRADED,
  unhealthy: HealthState.UNHEALTHY,
} as const;
const bootStates = { good: BootState.GOOD, trial: BootState.TRIAL, bad: BootState.BAD } as const;
const partitionRoles = {
  esp: PartitionRole.ESP,
  root: PartitionRole.ROOT,
  'root-verity': PartitionRole.ROOT_VERITY,
  'root-verity-signature': PartitionRole.ROOT_VERITY_SIGNATURE,
  var: PartitionRole.VAR,
  other: PartitionRole.OTHER,
} as const;

/** nodeService gives the routes of plinth.node.v1.NodeService: each asks the machine and renders the answer. */
export function nodeService(sources: NodeServiceSources): (router: ConnectRouter) => void {
  const { sys } = sources;
  const systemStart = keptSystemStart(sources.sys);
  const machineId = keptMachineId(sources.sys);
  return (router) => {
    router.service(NodeService, {
      getIdentity: async (_request, context) =>
        identityAnswer(sources, await machineId(), (await systemStart()).startId, context),
      getVersions: async () => {
        const versions = await sources.versions();
        return create(GetVersionsResponseSchema, {
          ...versions,
          agent: sources.agentVersion,
          agentRuntime: `node ${process.versions.node}`,
        });
      },
      getSlots: async () => {
        const [report, notes] = await Promise.all([collectSlots(sys), sources.describeSlots()]);
        return create(GetSlotsResponseSchema, {
          slots: report.slots.map((slot) => {
            const { state, ...note } = notes.slots.get(slot.name) ?? {};
            return {
              ...{ ...slot, ...note, partitions: slot.partitions.map(partition) },
              ...(state && { state: bootStates[state] }),
            };
          }),
          whyNoUpdate: [...notes.whyNoUpdate],
          otherPartitions: report.otherPartitions.map(partition),
          bootEntries: report.bootEntries.map((entry) => ({ ...entry, state: bootStates[entry.state] })),
          espReadable: report.espReadable,
          selectedEntry: report.selectedEntry,
        });
      },
      getIntegrity: async () => {
        const integrity = await sources.integrity();
        return create(GetIntegrityResponseSchema, {
          verdict: verdicts[integrity.verdict],
          checks: integrity.checks.map(checkMessage),
          mounts: integrity.mounts.map((mount) => ({
            ...mount,
            flags: [...mount.flags],
            verdict: verdicts[mount.verdict],
          })),
          pcrs: [...integrity.pcrs],
          rootHash: integrity.rootHash,
          layerRootHashes: [...integrity.layerRootHashes],
          observedAt: timestampFromMs(integrity.observedAtMs),
        });
      },
      getBootReport: async () => {
        const [report, lastEnd] = await Promise.all([collectBootReport(sys), sources.bootEnd()]);
        return create(GetBootReportResponseSchema, {
          bootId: report.bootId,
          kernelStartedAt:
            report.kernelStartedAtMs === undefined ? undefined : timestampFromMs(report.kernelStartedAtMs),
          phases: report.phases.map(({ name, durationMs }) => ({
            name,
            duration: durationFromMs(durationMs),
          })),
          finished: report.finished,
          slowestUnits: report.slowestUnits.map(({ name, durationMs }) => ({
            unit: name,
            duration: durationFromMs(durationMs),
          })),
          crashRecords: [...report.crashRecords],
          notObserved: [...report.notObserved],
          lastEnd: bootEnd(lastEnd),
        });
      },
      getHealth: async () => {
        const health = await sources.health();
        return create(GetHealthResponseSchema, {
          state: healthStates[health.state],
          checks: health.checks.map(checkMessage),
          uptime: durationFromMs(await uptimeMs(sys)),
        });
      },
    });
  };
}

/** The id stays what it is while the system runs; one that could not be read is asked for again. */
function keptMachineId(sys: Sys): () => Promise<string> {
  let kept = '';
  return async () => {
    if (kept === '') kept = (await readText(sys, '/etc/machine-id')) ?? '';
    return kept;
  };
}

function identityAnswer(
  { sys, identity, configSource }: NodeServiceSources,
  machineId: string,
  bootId: string,
  context: HandlerContext,
) {
  return create(GetIdentityResponseSchema, {
    nodeName: sys.hostName(),
    nodeId: identity.nodeId,
    certificateFingerprint: identity.fingerprint,
    identityPersistent: identity.persistent,
    machineId,
    bootId,
    addresses: [...sys.addresses()],
    configSource,
    caller: requireRole(context.values.get(callerKey)),
  });
}

function bootEnd({ kind, ask, evidence }: BootEnd) {
  return {
    kind: bootEndKinds[kind],
    evidence: [...evidence],
    ...(ask && {
      ...{ askedBy: ask.askedBy, reason: ask.reason, overridden: ask.overridden },
      askedAt: timestampFromMs(ask.askedAtMs),
    }),
  };
}

function partition({ sizeBytes, role, ...rest }: PartitionReport) {
  return { ...rest, sizeBytes: BigInt(sizeBytes), role: partitionRoles[role] };
}
