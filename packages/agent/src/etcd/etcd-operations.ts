import { rm } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { pause, type Sleep } from '../repeat.ts';
import type { Sys } from '../sys/sys.ts';
import { type EtcdClient, LOCAL_ETCD, openEtcdClient, readEtcdCredentials } from './etcd-client.ts';
import { judgeLoss, type LossVerdict } from './judge-loss.ts';
import { readSnapshot, type SnapshotPiece } from './read-snapshot.ts';
import { storeSnapshot } from './store-snapshot.ts';
import { type SurveyedMember, surveyMembers } from './survey-members.ts';

/** Unit of the layer that has the rights plinthd lacks, and the snapshot it looks for. */
export const RESTORE_UNIT = 'plinth-etcd-restore.service';
export const RESTORE_FILE = 'restore.db';

const RESTORE_MS = 15 * 60_000;
const COME_BACK_MS = 5 * 60_000;
const POLL_MS = 2_000;

export interface EtcdParts {
  readonly sys: Pick<Sys, 'readFile' | 'nowMs' | 'hostName'>;
  /** Where a snapshot to restore is stored; root's alone. RESTORE_UNIT reads /var/lib/plinth/etcd. */
  readonly folder: string;
  /** Runs a oneshot unit from its beginning to its end; fails when the unit fails. */
  restartUnit(unit: string, timeoutMs: number): Promise<void>;
  /** Default: kubeadm's folder, and the member of this node. */
  readonly pki?: string;
  readonly target?: { readonly host: string; readonly port: number };
  readonly sleep?: Sleep;
}

/** Everything health wants to know of etcd. */
export interface ObservedEtcd {
  readonly ownId: string;
  readonly members: readonly SurveyedMember[];
  readonly alarms: readonly string[];
  readonly quotaBytes: number;
}

/** What can be done with etcd on the control plane it is asked on. Failures are PlinthError etcd/…. */
export interface EtcdOperations {
  listMembers(): Promise<readonly SurveyedMember[]>;
  /** Looks at members, alarms and limits. @param timeoutMs bound on each question; two are asked after each other */
  observe(timeoutMs: number): Promise<ObservedEtcd>;
  /** Whether etcd keeps its quorum when this node stops or leaves. @throws etcd/no-member and those of listMembers */
  judgeOwnLoss(kind: 'stops' | 'leaves'): Promise<LossVerdict>;
  /** @param override the member's name, to remove it although the quorum is lost. @throws etcd/quorum-at-risk */
  removeMember(id: string, override: string): Promise<void>;
  defragment(): Promise<{ beforeBytes: number; afterBytes: number; durationMs: number }>;
  snapshot(signal?: AbortSignal): AsyncGenerator<SnapshotPiece>;
  /** Gives the revision of the database. @throws etcd/not-confirmed, etcd/snapshot-damaged, etcd/restore-failed */
  restore(confirm: string, sizeBytes: number, pieces: AsyncIterable<Uint8Array>): Promise<number>;
}

/** etcdOperations acts on the member of this node, with kubeadm's certificates, read anew for each call. */
export function etcdOperations(parts: EtcdParts): EtcdOperations {
  const { sys, target = LOCAL_ETCD } = parts;
  let restoring = false;

  /** Opens the local member for one piece of work. */
  async function withLocal<T>(
    work: (local: EtcdClient, open: (at: { host: string; port: number }) => EtcdClient) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    const credentials = await readEtcdCredentials(sys, parts.pki);
    const open = (at: { host: string; port: number }) => openEtcdClient({ ...credentials, ...at }, timeoutMs);
    const local = open(target);
    try {
      return await work(local, open);
    } finally {
      local.close();
    }
  }

  const listMembers = () => withLocal(surveyMembers);

  async function restore(
    confirm: string,
    sizeBytes: number,
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    if (confirm !== sys.hostName())
      throw new PlinthError(
        'etcd/not-confirmed',
        `Cannot restore etcd: it was confirmed for "${confirm.slice(0, 63)}", expected this node's name ${sys.hostName()}`,
      );
    await readEtcdCredentials(sys, parts.pki); // a worker says so before gigabytes are sent to it
    if (restoring) throw failed('another restore is under way');
    restoring = true;
    try {
      await storeSnapshot(parts.folder, RESTORE_FILE, sizeBytes, pieces);
      await parts.restartUnit(RESTORE_UNIT, RESTORE_MS).catch((reason: unknown) => {
        throw failed(reason instanceof Error ? reason.message : 'its unit failed');
      });
      return await comeBack();
    } finally {
      restoring = false;
      await rm(`${parts.folder}/${RESTORE_FILE}`, { force: true }); // it holds every secret of the cluster
    }
  }

  /** Waits for the member to lead itself on the restored data. */
  async function comeBack(): Promise<number> {
    const { sleep = pause } = parts;
    const untilMs = sys.nowMs() + COME_BACK_MS;
    for (;;) {
      const revision = await withLocal(async (local) => {
        const [members, status] = [await local.listMembers(), await local.status()];
        return members.length === 1 && status.leader === status.id ? status.revision : undefined;
      }).catch(() => undefined);
      if (revision !== undefined) return revision;
      if (sys.nowMs() > untilMs) throw failed('the data is in place, but the member does not come up');
      await sleep(POLL_MS, AbortSignal.timeout(POLL_MS * 2));
    }
  }

  return {
    listMembers,
    observe: (timeoutMs) =>
      withLocal(async (local, open) => {
        const [members, status, alarms] = await Promise.all([
          surveyMembers(local, open),
          local.status(),
          local.alarms(),
        ]);
        return { ownId: status.id, members, alarms, quotaBytes: status.quotaBytes };
      }, timeoutMs),
    async judgeOwnLoss(kind) {
      return withLocal(async (local, open) =>
        judgeLoss(await surveyMembers(local, open), (await local.status()).id, kind),
      );
    },
    async removeMember(id, override) {
      await withLocal(async (local, open) => {
        const members = await surveyMembers(local, open);
        const member = members.find((one) => one.id === id);
        const verdict = judgeLoss(members, id, 'leaves');
        const overridden = member !== undefined && member.name !== '' && override === member.name;
        if (!verdict.ok && !overridden)
          throw new PlinthError('etcd/quorum-at-risk', `Cannot remove member ${id}: ${verdict.reason}`);
        await local.removeMember(id);
      });
    },
    async defragment() {
      return withLocal(async (local) => {
        const before = await local.status();
        const startedMs = performance.now();
        await local.defragment();
        const durationMs = Math.round(performance.now() - startedMs);
        const after = await local.status();
        return { beforeBytes: before.dbSizeBytes, afterBytes: after.dbSizeBytes, durationMs };
      });
    },
    async *snapshot(signal) {
      const credentials = await readEtcdCredentials(sys, parts.pki);
      const local = openEtcdClient({ ...credentials, ...target });
      try {
        const source = await local.openSnapshot(signal);
        try {
          yield* readSnapshot(source);
        } finally {
          source.destroy();
        }
      } finally {
        local.close();
      }
    },
    restore,
  };
}

function failed(state: string): PlinthError {
  return new PlinthError(
    'etcd/restore-failed',
    `Cannot restore etcd: ${state}, expected a member on the snapshot`,
  );
}
