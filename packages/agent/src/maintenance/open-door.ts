import { type AuditFiles, auditFolder } from '../audit/audit-files.ts';
import { AUDIT_FOLDER, openNodeAudit } from '../audit/open-node-audit.ts';
import type { NodeConsole } from '../console.ts';
import { openIdentity } from '../identity/open-identity.ts';
import { pause } from '../repeat.ts';
import { collectVersions } from '../reports/versions.ts';
import type { AuditSink } from '../server/audit.ts';
import { serve } from '../server/serve.ts';
import { onlyOnce } from '../shared-run.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { type FirstConfig, maintenanceService } from './maintenance-service.ts';

export interface DoorParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly version: string;
  readonly port: number;
  readonly bindAddress?: string | undefined;
  /** Records for the journal. */
  readonly audit: AuditSink;
  /** The audit log; default: the node's folder. */
  readonly auditFiles?: AuditFiles | undefined;
  readonly code: () => string;
  /** See MaintenanceParts. */
  take(first: FirstConfig): Promise<number>;
}

/** The listener of a node that waits for its first config. */
export interface Door {
  /** Shuts it. @param answering whether an answer is under way and has to arrive */
  close(answering: boolean): Promise<void>;
}

/** A person applies one config; reading one of 256 KiB takes this node a second of its processor. */
const RATE = { perSecond: 1, burst: 20 };
const CONNECTIONS = { sessions: 32, perClient: 4, strangers: 32, strangersPerAddress: 8 };
/** Names the certificate, which has no name of a node yet; clients go by its fingerprint. */
const HOST_NAME = 'plinth-node';
const ANSWER_MS = 1_000;

/**
 * openDoor listens for the first config on the port of the API: TLS with the identity the node keeps, callers without a
 * certificate, three calls and nothing else, all of them in the node's audit log. Throws when it cannot listen, and Error
 * when the identity would not outlive the boot: a fingerprint that people compare has to stay.
 */
export async function openDoor(parts: DoorParts): Promise<Door> {
  const { sys, store, console, version } = parts;
  const identity = await openIdentity(store, HOST_NAME);
  const { nodeId, fingerprint, certificatePem, privateKeyPem } = identity;
  if (!identity.persistent) throw new Error(identity.concern ?? 'its identity cannot be kept');
  const audit = await openNodeAudit({
    ...{ sys, nodeId, version, nodeName: '', volatileBecause: store.volatileBecause, journal: parts.audit },
    ...{ files: parts.auditFiles ?? auditFolder(AUDIT_FOLDER), folder: AUDIT_FOLDER },
  });
  const listener = await serve({
    ...{ port: parts.port, bindAddress: parts.bindAddress, certificatePem, privateKeyPem },
    ...{ clientAuthoritiesPem: 'strangers', rate: RATE, connections: CONNECTIONS },
    ...{ audit: audit.sink, nowMs: sys.nowMs },
    instead: 'the node waits in maintenance for its first config ("plinth apply FILE --insecure")',
    routes: maintenanceService({
      ...{ nodeId, agentVersion: version, code: parts.code, take: parts.take },
      versions: onlyOnce(() => collectVersions(sys)),
    }),
  });
  console.say(`maintenance: waits for "plinth apply FILE --insecure --endpoint ADDRESS:${listener.port}"`);
  console.say(`maintenance ready port=${listener.port} fingerprint=${fingerprint}`);
  return {
    async close(answering) {
      if (answering) await pause(ANSWER_MS, NEVER, true);
      await listener.close();
      // Records are written in their order: with this one all before it are on the disk, and the log is the next one's.
      await audit.log.write({ time: new Date(sys.nowMs()).toISOString(), event: 'maintenance.end' });
    },
  };
}

const NEVER = new AbortController().signal;
