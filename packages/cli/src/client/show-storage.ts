import {
  type Disk,
  type FileSystemMount,
  ListDisksResponseSchema,
  ListMountsResponseSchema,
  messageData,
  type Volume,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatBytes, shortenHash } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { diskHealthBlocks } from './disk-health-blocks.ts';
import { bytesCell, cutBlock, emptyText, notObservedBlock, percentCell } from './system-cells.ts';

/** Share in use from which people look. */
const NEARLY_FULL = 0.85;

/** showDisks asks a node for its disks and what lies on them. @throws cli/context-missing, api/… */
export async function showDisks(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.system.disks());
  const volumes = answer.disks.flatMap((disk) => disk.volumes.map((volume) => ({ disk, volume })));
  return {
    data: messageData(ListDisksResponseSchema, answer),
    names: answer.disks.map(({ name }) => name),
    view: [
      table(
        [
          { header: 'DISK', value: ({ name }) => name },
          { header: 'SIZE', value: ({ sizeBytes }) => bytesCell(sizeBytes), align: 'right' },
          { header: 'KIND', value: diskKind },
          { header: 'MODEL', value: ({ model }) => model },
          { header: 'SERIAL', value: ({ serial }) => serial },
          { header: 'STATE', value: ({ state }) => state, mark: diskMark },
          {
            header: 'ERRORS',
            value: ({ failedCommands }) => (failedCommands === undefined ? '' : String(failedCommands)),
            align: 'right',
            wide: true,
          },
          {
            header: 'CELSIUS',
            value: ({ celsius }) => (celsius === undefined ? '' : celsius.toFixed(0)),
            align: 'right',
            wide: true,
          },
          {
            header: 'READ',
            value: ({ traffic }) => bytesCell(traffic?.readBytes),
            align: 'right',
            wide: true,
          },
          {
            header: 'WRITTEN',
            value: ({ traffic }) => bytesCell(traffic?.writtenBytes),
            align: 'right',
            wide: true,
          },
          { header: 'FIRMWARE', value: ({ firmware }) => firmware, wide: true },
          { header: 'WWID', value: ({ wwid }) => wwid, wide: true },
        ],
        answer.disks,
        emptyText(answer.notObserved, 'The node has no disk.'),
      ),
      table(
        [
          { header: 'VOLUME', value: ({ volume }) => volume.name },
          { header: 'SIZE', value: ({ volume }) => bytesCell(volume.sizeBytes), align: 'right' },
          { header: 'KIND', value: ({ volume }) => volume.kind },
          { header: 'LABEL', value: ({ volume }) => volume.label },
          { header: 'HOLDS', value: ({ volume }) => volume.fileSystem },
          { header: 'MOUNTED', value: ({ volume }) => volume.mountedAt },
          { header: 'VERITY', value: ({ volume }) => verityText(volume), mark: verityMark },
          { header: 'MADE-OF', value: ({ volume }) => volume.madeOf.join(' '), wide: true },
          { header: 'UUID', value: ({ volume }) => volume.uuid, wide: true },
        ],
        volumes,
        'No disk has a partition.',
      ),
      ...diskHealthBlocks(answer.disks),
      ...notObservedBlock(answer.notObserved),
    ],
  };
}

function diskKind({ transport, rotational, removable, readOnly }: Disk): string {
  const words = [transport, ...(removable ? ['removable'] : []), ...(readOnly ? ['read-only'] : [])];
  // A virtual disk says that it turns, for want of anything better.
  if (rotational && transport !== 'virtio' && transport !== 'loop') words.push('rotating');
  return words.join(', ');
}

function diskMark({ state }: Disk, style: Style) {
  return state === '' || state === 'live' || state === 'running' ? style.good : style.bad;
}

function verityText({ kind, verityState, veritySigned, verityRootHash }: Volume): string {
  if (kind !== 'verity') return '';
  if (verityState === '') return '<unknown>';
  return `${verityState}, ${veritySigned ? 'signed' : 'not signed'} ${shortenHash(verityRootHash)}`;
}

function verityMark({ volume }: { readonly volume: Volume }, style: Style) {
  if (volume.kind !== 'verity') return style.faint;
  return volume.verityState === 'verified'
    ? style.good
    : volume.verityState === ''
      ? style.doubtful
      : style.bad;
}

/** showMounts asks a node for its mounts and how full they are. @throws cli/context-missing, api/… */
export async function showMounts(
  options: AskOptions & { readonly all: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.system.mounts({ all: options.all }));
  const unread = answer.mounts.filter(({ usageUnread }) => usageUnread !== '');
  return {
    data: messageData(ListMountsResponseSchema, answer),
    names: answer.mounts.map(({ target }) => target),
    view: [
      table(
        [
          { header: 'TARGET', value: ({ target }) => target },
          { header: 'SOURCE', value: ({ source }) => source },
          { header: 'TYPE', value: ({ fileSystem }) => fileSystem },
          { header: 'SIZE', value: (mount) => sizeCell(mount, 'sizeBytes'), align: 'right' },
          { header: 'AVAILABLE', value: (mount) => sizeCell(mount, 'availableBytes'), align: 'right' },
          {
            header: 'USED',
            value: (mount) => percentOr(mount, usedShare(mount)),
            align: 'right',
            mark: fullMark,
          },
          {
            header: 'INODES',
            value: (mount) => percentOr(mount, inodeShare(mount)),
            align: 'right',
            mark: fullMark,
          },
          { header: 'OPTIONS', value: ({ options: list }) => list.join(','), wide: true },
        ],
        answer.mounts,
        emptyText(answer.notObserved, 'The node has no such mount.'),
      ),
      ...cutBlock(answer.mounts.length, options.all ? answer.total : 0, 'mounts'),
      ...notObservedBlock([
        ...answer.notObserved,
        ...unread.map(({ target, usageUnread }) => `use of ${target}: ${usageUnread}`),
      ]),
    ],
  };
}

function sizeCell({ usage, usageUnread }: FileSystemMount, key: 'sizeBytes' | 'availableBytes'): string {
  if (usage) return formatBytes(Number(usage[key]));
  return usageUnread === '' ? '' : '<unknown>';
}

/** What can still be written decides, as df counts; undefined without a size. */
function usedShare({ usage }: FileSystemMount): number | undefined {
  if (!usage) return undefined;
  const used = Number(usage.usedBytes);
  const all = used + Number(usage.availableBytes);
  return all === 0 ? 0 : used / all;
}

/** Undefined for a file system that makes room for files as needed. */
function inodeShare({ usage }: FileSystemMount): number | undefined {
  if (!usage || usage.inodes === 0n) return undefined;
  return 1 - Number(usage.availableInodes) / Number(usage.inodes);
}

function percentOr({ usageUnread }: FileSystemMount, share: number | undefined): string {
  if (share !== undefined) return percentCell(share);
  return usageUnread === '' ? '' : '<unknown>';
}

/** An image that cannot be written is always full. */
function fullMark(mount: FileSystemMount, style: Style) {
  const fullest = Math.max(usedShare(mount) ?? 0, inodeShare(mount) ?? 0);
  if (mount.options.includes('ro') || mount.fileSystem === 'erofs') return style.faint;
  return fullest >= NEARLY_FULL ? style.bad : style.faint;
}
