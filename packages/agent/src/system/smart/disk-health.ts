import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DiskSchema } from '@plinth/api';
import type { Sys } from '../../sys/sys.ts';
import { stampFromMs } from '../times.ts';
import { type AskableDisk, askDisks } from './ask-disks.ts';

/** Disks change slowly, and each question is a program in a unit of its own. */
const KEPT_MS = 60_000;

/** The fields of a disk that say what it says of its health. */
export type HealthFields = Pick<MessageInitShape<typeof DiskSchema>, 'health' | 'smartUnread'>;

/** Gives what disks say of their health, by their names. */
export type HealthOf = (disks: readonly AskableDisk[]) => Promise<ReadonlyMap<string, HealthFields>>;

/** openDiskHealth asks disks for their health, each at most once a minute; a disk that gave no answer is asked again. */
export function openDiskHealth(sys: Pick<Sys, 'stream' | 'nowMs'>): HealthOf {
  let kept: ReadonlyMap<string, { readonly atMs: number; readonly fields: HealthFields }> = new Map();
  return async (disks) => {
    const nowMs = sys.nowMs();
    const isFresh = ({ name }: AskableDisk) => {
      const ageMs = nowMs - (kept.get(name)?.atMs ?? Number.NEGATIVE_INFINITY);
      return ageMs >= 0 && ageMs < KEPT_MS;
    };
    const known = disks.filter(isFresh).flatMap(({ name }) => {
      const fields = kept.get(name)?.fields;
      return fields ? [[name, fields] as const] : [];
    });
    const asked = await askDisks(
      sys,
      disks.filter((disk) => !isFresh(disk)),
    );
    const answered = [...asked].map(([name, answer]): readonly [string, HealthFields] => [
      name,
      'unread' in answer
        ? { smartUnread: answer.unread }
        : { smartUnread: '', health: { ...answer.health, askedAt: stampFromMs(nowMs) } },
    ]);
    kept = new Map([
      ...[...kept].filter(([name]) => known.some(([other]) => other === name)),
      ...answered
        .filter(([, { health }]) => health)
        .map(([name, fields]) => [name, { atMs: nowMs, fields }] as const),
    ]);
    return new Map([...known, ...answered]);
  };
}
