import { randomUUID } from 'node:crypto';
import type { CheckSpec } from '../checks/check.ts';
import { fail, pass } from '../checks/check.ts';
import { type AuditRecord, type AuditSink, boundedRecord } from '../server/audit.ts';
import { SYSTEM_STATE } from '../sys/state-folder.ts';
import type { FileSystemUsage, Sys } from '../sys/sys.ts';
import { readText } from '../sys/sys.ts';
import { type AuditFiles, auditMemory } from './audit-files.ts';
import { type AuditLimits, type AuditLog, openAuditLog } from './audit-log.ts';

/** The audit log as plinthd has it. */
export interface NodeAudit {
  readonly log: AuditLog;
  readonly limitBytes: number;
  /** Where the server's records go: here, and to the journal. */
  readonly sink: AuditSink;
  readonly check: CheckSpec;
}

export interface NodeAuditParts {
  readonly sys: Sys;
  /** On disk. */
  readonly files: AuditFiles;
  /** Folder of the files, for the room it has. */
  readonly folder: string;
  /** Why nothing can be kept on disk; the log is then in memory. */
  readonly volatileBecause: string | undefined;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly version: string;
  /** The journal's. */
  readonly journal: AuditSink;
}

export const AUDIT_FOLDER = `${SYSTEM_STATE}/audit`;
const MIB = 1024 * 1024;
const MOST_BYTES = 64 * MIB;
const LEAST_BYTES = MIB;
const MEMORY_BYTES = MIB;
/** The log's share of /var. */
const SHARE = 0.01;
const FILES = 8;
const WAITING = 1_000;
const RETRY_MS = 5_000;

/** openNodeAudit opens the log on disk, or in memory where there is none. */
export async function openNodeAudit(parts: NodeAuditParts): Promise<NodeAudit> {
  const { sys, volatileBecause, nodeName, nodeId, version, journal } = parts;
  const limits =
    volatileBecause === undefined
      ? auditLimits(await sys.usage(parts.folder).catch(() => undefined))
      : limitsOf(MEMORY_BYTES);
  const boot = (await readText(sys, '/proc/sys/kernel/random/boot_id').catch(() => undefined)) ?? '';
  const log = await openAuditLog({
    files: volatileBecause === undefined ? parts.files : auditMemory(),
    limits,
    nowMs: sys.nowMs,
    volatileBecause,
    opened: { node: nodeName, nodeId, boot, start: randomUUID(), version },
  });
  return {
    log,
    limitBytes: limits.totalBytes,
    sink: (record: AuditRecord) => {
      journal(record);
      return log.write(boundedRecord(record));
    },
    check: {
      id: 'audit-log',
      expected: 'written to disk',
      source: parts.folder,
      fix: 'Free space on /var, or mend it; records are in the journal meanwhile.',
      critical: false,
      observe: async () => {
        const concern = log.concern();
        return concern === undefined ? pass('written to disk') : fail(concern);
      },
    },
  };
}

/** auditLimits is what the log may take of a file system. */
export function auditLimits(usage: FileSystemUsage | undefined): AuditLimits {
  const share = (usage?.sizeBytes ?? 0) * SHARE;
  return limitsOf(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, Math.floor(share))));
}

function limitsOf(totalBytes: number): AuditLimits {
  return { totalBytes, fileBytes: Math.floor(totalBytes / FILES), waiting: WAITING, retryMs: RETRY_MS };
}
