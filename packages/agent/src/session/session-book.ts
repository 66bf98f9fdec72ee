import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { NodeConsole } from '../console.ts';
import { inTurn } from '../in-turn.ts';
import { readStored } from '../sys/read-stored.ts';
import type { StateStore } from '../sys/state-store.ts';
import { isMissing } from '../sys/sys.ts';
import { recordingOf } from './recorder.ts';
import { MOST_KEPT, type SessionRecord, sessionsSchema } from './session-state.ts';

const STORED = 'sessions.json';
const RECORDING = 'recording.cast';

export interface BookParts {
  readonly store: Pick<StateStore, 'read' | 'write' | 'setAside'>;
  readonly console: NodeConsole;
  /** Where recordings and pipes lie; a folder of plinthd's own. */
  readonly folder: string;
  /** Writes into the audit log; fulfilled when it is durable. */
  readonly audit: (record: object) => Promise<void>;
  readonly nowMs: () => number;
}

/** What the node has of its sessions: their records, and a folder for each. */
export interface SessionBook {
  /** Newest first. */
  records(): readonly SessionRecord[];
  /** @throws session/missing */
  find(id: string): SessionRecord;
  /** Stores and audits a session that is about to begin, and makes its folder. The oldest goes when there are too many. */
  open(record: SessionRecord): Promise<void>;
  /** Stores and audits the end of a session; its recording is complete. */
  close(record: SessionRecord, endedBecause: string, durationMs: number): Promise<void>;
  folderOf(id: string): string;
  recordingOf(id: string): string;
}

/** openBook reads what is stored, and takes away folders that nothing stored speaks of. */
export async function openBook({ store, console, folder, audit, nowMs }: BookParts): Promise<SessionBook> {
  const stored = await readStored(store, STORED, sessionsSchema, () =>
    console.say('session: the list of sessions cannot be read and was put aside'),
  );
  let records: readonly SessionRecord[] = stored?.sessions ?? [];
  const writing = inTurn();
  const save = (next: readonly SessionRecord[]) =>
    writing(async () => {
      records = next;
      await store.write(STORED, Buffer.from(JSON.stringify({ version: 1, sessions: next })));
    });
  const folderOf = (id: string) => join(folder, id);
  const recordingPath = (id: string) => join(folder, id, RECORDING);
  const remove = (id: string) => rm(folderOf(id), { recursive: true, force: true });
  const tell = ({ id, level, openedBy, reason }: SessionRecord, event: string, more: object) =>
    audit({
      ...{ time: new Date(nowMs()).toISOString(), event: `session.${event}`, session: id, level },
      ...{ caller: openedBy, reason, ...more },
    });

  for (const name of await namesIn(folder)) if (!records.some(({ id }) => id === name)) await remove(name);
  return {
    records: () => records,
    find(id) {
      const record = records.find((each) => each.id === id);
      if (record) return record;
      throw new PlinthError('session/missing', 'Cannot find the session: the node knows none of that id');
    },
    async open(record) {
      for (const { id } of records.slice(MOST_KEPT - 1)) await remove(id);
      await mkdir(folderOf(record.id), { recursive: true, mode: 0o700 });
      await save([record, ...records.slice(0, MOST_KEPT - 1)]);
      await tell(record, 'started', { image: record.image, ttlMs: record.ttlMs });
    },
    async close(record, endedBecause, durationMs) {
      const { sizeBytes: recordingBytes, sha256: recordingSha256 } = await recordingOf(
        recordingPath(record.id),
      );
      for (const pipe of ['stdin', 'stdout']) await rm(join(folderOf(record.id), pipe), { force: true });
      const end = { endedBecause, durationMs, recordingBytes, recordingSha256 };
      await save(records.map((each) => (each.id === record.id ? { ...record, ...end } : each)));
      console.say(`session: ${record.id} has ended: ${endedBecause}`);
      await tell(record, 'ended', { because: endedBecause, durationMs, recordingBytes, recordingSha256 });
    },
    folderOf,
    recordingOf: recordingPath,
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (reason) {
    if (isMissing(reason)) return [];
    throw reason;
  }
}
