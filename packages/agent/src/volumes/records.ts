import { z } from 'zod';
import type { DiskFact } from './read-disks.ts';

const identity = z.object({
  serial: z.string(),
  wwid: z.string(),
  path: z.string(),
  sizeBytes: z.number().int(),
});
/** What a disk is known again by. */
export type DiskIdentity = z.infer<typeof identity>;

const record = z.object({
  name: z.string(),
  /** `making`: noted before the disk is written to. `made`: its partition was seen. */
  state: z.enum(['making', 'made']),
  disk: identity,
});
/** The note of a volume. */
export type VolumeRecord = z.infer<typeof record>;

export const recordsSchema = z.object({ version: z.literal(1), volumes: z.array(record).max(1000) });
/** All notes. */
export type VolumeRecords = z.infer<typeof recordsSchema>;

export const NO_RECORDS: VolumeRecords = { version: 1, volumes: [] };

/** identityOf is what is noted of a disk. */
export function identityOf({ serial, wwid, path, sizeBytes }: DiskFact): DiskIdentity {
  return { serial, wwid, path, sizeBytes };
}

/** isSameDisk compares serial and WWID where a disk has any; one without is only known by where it is and how large. */
export function isSameDisk(a: DiskIdentity, b: DiskIdentity): boolean {
  if (a.serial !== b.serial || a.wwid !== b.wwid || a.sizeBytes !== b.sizeBytes) return false;
  return a.serial !== '' || a.wwid !== '' || (a.path !== '' && a.path === b.path);
}

/** noted replaces the note of a volume. */
export function noted(records: VolumeRecords, next: VolumeRecord): VolumeRecords {
  return { version: 1, volumes: [...records.volumes.filter(({ name }) => name !== next.name), next] };
}

/** keptFor drops the notes of volumes that no document asks for. */
export function keptFor(records: VolumeRecords, names: readonly string[]): VolumeRecords {
  return { version: 1, volumes: records.volumes.filter(({ name }) => names.includes(name)) };
}
